import { type HostResource, type LiveResource, resourceKey, retryable } from '@plumb/schemas';
import type { Attention } from '../../driver.ts';
import type { HandlerOf } from '../handler.ts';
import type { Parts } from '../parts.ts';

export const domain: HandlerOf<'domain'> = (parts) => ({
  foundBy: 'domains',
  ensure: (domain, attention) => makeDomain(parts, domain, attention),
  remove: async (id) =>
    (await parts.domains.remove(id)).map((file) => `${file} stays on the host: Plumb did not make it`),
});

async function makeDomain(
  { domains, partsOf, disks, seeds }: Parts,
  resource: HostResource<'domain'>,
  attention?: Attention,
): Promise<LiveResource<'domain'>> {
  // What it is made of becomes readable for the user that QEMU is started as.
  await Promise.all(resource.spec.disks.map((disk) => disks.handOver(disk)));
  if (resource.spec.seed !== undefined) await seeds.handOver(resource.spec.seed);
  const found = partsOf(resource);
  if (found === undefined)
    throw retryable('MissingDependency', `a disk of ${resourceKey(resource)} is not on this host`);
  const { live, notes } = await domains.ensure(resource, found);
  for (const note of notes) attention?.onNote?.(note);
  return live;
}
