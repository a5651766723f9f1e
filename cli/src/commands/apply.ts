import { PlumbError } from '@plumb/schemas';
import { applyAtomic } from '../atomic.ts';
import { awaitReady } from '../await-ready.ts';
import { type Command, inParallel, manifestsOf, parseCommand, type Session, withSession } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { complain } from '../failure.ts';
import { describeManifest, type Manifest } from '../manifests.ts';
import { Progress } from '../progress.ts';
import { submit } from '../submit.ts';
import type { Surroundings } from '../surroundings.ts';

/** Requests at the same time. */
const WIDTH = 64;

export const apply: Command = {
  usage: `plumb apply -f FILE-OR-FOLDER [-f …] [-n NAMESPACE] [--atomic] [--no-wait] [--timeout 10m]

Creates what is missing and changes what differs; order does not matter. Then waits until every object is
ready. Exit code 1 when one is refused, fails, or is not ready in time.
--atomic: all as one; if one fails, every object and what runs return to what they were. At most 100 objects.
`,
  run(argv, surroundings) {
    const { values } = parseCommand(argv, {
      atomic: { type: 'boolean', default: false },
      'no-wait': { type: 'boolean', default: false },
      timeout: { type: 'string', default: '10m' },
    });
    const timeoutMs = parseDuration(values.timeout as string, '--timeout');
    return withSession(values, surroundings, async (session) => {
      const manifests = await manifestsOf(values, session, surroundings);
      if (values.atomic) return applyAtomic(session, surroundings, manifests, timeoutMs);
      const refused = await send(session, surroundings, manifests);
      if (refused > 0) return 1;
      if (values['no-wait']) return 0;
      // Core objects have no conditions to wait for.
      const waited = manifests.filter(({ resource }) => resource.definition);
      return waited.length === 0 ? 0 : awaitReady(session, surroundings, waited, timeoutMs);
    });
  },
};

/** Sends all; namespaces first, since nothing can be made in one that is not there. Returns how many were refused. */
async function send(session: Session, surroundings: Surroundings, manifests: readonly Manifest[]): Promise<number> {
  let refused = 0;
  using progress = new Progress(surroundings, manifests, 'sent');
  const one = async (manifest: Manifest) => {
    try {
      const outcome = await submit(session.client, manifest);
      progress.ends(manifest, () => surroundings.out(`${describeManifest(manifest)} ${outcome}\n`));
    } catch (thrown) {
      refused++;
      const error = PlumbError.from(thrown, 'apply');
      progress.ends(manifest, () => complain(surroundings, error, describeManifest(manifest)));
    }
  };
  const core = manifests.filter(({ resource }) => !resource.definition);
  await inParallel(core, WIDTH, one);
  await inParallel(
    manifests.filter(({ resource }) => resource.definition),
    WIDTH,
    one,
  );
  return refused;
}
