/** Banner: keeps its text on the hosts that it names, and nowhere else. */
import type { Banner, Host, HostResource, LiveResource, Zone } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Again, Context, Controller } from '../controller.ts';
import { convergeOrDegrade, type HostSteps } from '../converge.ts';
import { guarded } from '../guarded.ts';
import { resolve } from '../references.ts';
import { removeEverywhere } from '../remove-everywhere.ts';
import { depart, readyStatus, writeStatus } from '../status.ts';

export function bannerController(context: Context): Controller {
  return {
    name: 'banner',
    concurrency: 16,
    async reconcile(key: string): Promise<Again | undefined> {
      const cached = context.read.get<Banner>(key);
      if (!cached) return undefined;
      if (cached.object.metadata.deletionTimestamp) return remove(context, cached);
      return guarded(context, cached, async () => {
        resolve<Zone>(context, cached.object, 'spec.zone', 'Zone', cached.object.spec.zone, { newUse: true });
        const again = await convergeOrDegrade(context, cached, steps(context, cached.object));
        const latest = context.read.get(key) ?? cached;
        await writeStatus(context, latest, (status, object) =>
          readyStatus(context, status, object, 'Shown', 'hosts that are connected show it'),
        );
        return again;
      });
    },
  };
}

function steps(context: Context, banner: Banner): HostSteps {
  const { metadata, spec } = banner;
  const { uid } = metadata;
  const live = new Map<string, LiveResource>();
  for (const { host, resource } of context.fleet.ownedBy(uid)) live.set(host, resource);
  const desired: HostResource<'banner'> = { kind: 'banner', id: uid, owner: uid, spec: { text: spec.text } };
  const wanted = [...context.read.list<Host>('hosts')].filter(({ object }) => isChosen(banner, object));
  const names = new Set(wanted.map(({ object }) => object.metadata.name));
  return [...new Set([...names, ...live.keys()])].map((host) => ({
    host,
    live: live.get(host),
    desired: names.has(host) ? desired : undefined,
  }));
}

function isChosen({ spec }: Banner, host: Host): boolean {
  if (host.spec.zone !== spec.zone || host.metadata.deletionTimestamp) return false;
  const wanted = Object.entries(spec.hostSelector?.matchLabels ?? {});
  return wanted.every(([name, value]) => host.metadata.labels?.[name] === value);
}

function remove(context: Context, cached: Cached<Banner>): Promise<Again | undefined> {
  return guarded(context, cached, async () => {
    await removeEverywhere(context, cached, 'its text');
    await depart(context, cached);
    return undefined;
  });
}
