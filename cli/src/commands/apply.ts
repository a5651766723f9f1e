import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { applyAtomic } from '../atomic.ts';
import { awaitReady } from '../await-ready.ts';
import {
  type Command,
  inParallel,
  manifestsOf,
  namesFiles,
  parseCommand,
  type Session,
  type Sources,
  withSession,
} from '../command.ts';
import { parseDuration } from '../duration.ts';
import { complain } from '../failure.ts';
import { describeManifest, type Manifest } from '../manifests.ts';
import { Progress } from '../progress.ts';
import type { Pruned } from '../prune.ts';
import { isOwn } from '../resources.ts';
import { type DryRun, submit } from '../submit.ts';
import type { Surroundings } from '../surroundings.ts';

/** Requests at the same time. */
const WIDTH = 64;

export const apply: Command = {
  usage: `plumb apply -f FILE-OR-FOLDER [-f …] | -k FOLDER | --plan FILE [-n NAMESPACE] [--atomic]
            [--prune -l SELECTOR] [--dry-run=client|server] [--no-wait] [--timeout 10m]

Creates what is missing and changes what differs; order does not matter. Then waits until every object is
ready. Exit code 1 when one is refused, fails, or is not ready in time.

--atomic              all as one; if one fails, every object and what runs return to what they were;
                      at most 100 objects
--plan FILE           what "plumb plan --out FILE" planned, and nothing if the world has moved since (PlanOutdated)
--prune -l SELECTOR   and delete what was applied before, matches the selector and is declared no more
--dry-run=server      write nothing: the server judges each object as if it were written
--dry-run=client      write nothing: compare with what is stored
`,
  run(argv, surroundings) {
    const { values } = parseCommand(argv, {
      atomic: { type: 'boolean', default: false },
      plan: { type: 'string' },
      prune: { type: 'boolean', default: false },
      selector: { type: 'string', short: 'l' },
      'dry-run': { type: 'string' },
      wait: { type: 'boolean', default: false },
      'no-wait': { type: 'boolean', default: false },
      timeout: { type: 'string', default: '10m' },
    });
    const timeoutMs = parseDuration(values.timeout as string, '--timeout');
    const options = optionsOf(values);
    return withSession(values, surroundings, async (session) => {
      const { manifests, pruned } = await wanted(options, values, session, surroundings);
      const { dryRun } = options;
      if (values.atomic) return applyAtomic(session, surroundings, manifests, timeoutMs);
      const refused = await send(session, surroundings, manifests, dryRun);
      if (refused > 0) return 1;
      if (pruned.length > 0) {
        const { prune } = await import('../prune.ts');
        const code = await prune(session, surroundings, pruned, dryRun, values['no-wait'] ? undefined : timeoutMs);
        if (code !== 0) return code;
      }
      if (values['no-wait'] || dryRun) return 0;
      // Built-in kinds have no conditions to wait for.
      const waited = manifests.filter(({ resource }) => isOwn(resource));
      return waited.length === 0 ? 0 : awaitReady(session, surroundings, waited, timeoutMs);
    });
  },
};

interface Options {
  plan: string | undefined;
  prune: boolean;
  selector: string | undefined;
  dryRun: DryRun | undefined;
}

/** Throws PlumbError `BadArgument` (terminal) for what does not go together. */
function optionsOf(values: Record<string, unknown> & Sources): Options {
  const [plan, selector, asked] = [values.plan, values.selector, values['dry-run']] as (string | undefined)[];
  const wrong = (sentence: string) => terminal('BadArgument', sentence);
  if (asked !== undefined && !['client', 'server', 'none'].includes(asked))
    throw wrong(`--dry-run must be client, server or none, but is ${JSON.stringify(asked)}`);
  const dryRun = asked === 'none' ? undefined : (asked as DryRun | undefined);
  const prune = values.prune === true;
  if (selector !== undefined && !prune)
    throw wrong('-l says what --prune may delete: say --prune, too, or leave out -l');
  if (plan !== undefined && (namesFiles(values) || prune))
    throw wrong('--plan says all that is done: leave out -f, -k and --prune');
  if (values.atomic && (prune || dryRun))
    throw wrong(`--atomic does not go with ${prune ? '--prune' : '--dry-run'}: plumb plan shows what it would do`);
  if (values.wait && values['no-wait']) throw wrong('--wait and --no-wait contradict each other');
  return { plan, prune, selector, dryRun };
}

/** What is to be applied, and what is to go. */
async function wanted(
  { plan, prune, selector }: Options,
  values: Sources,
  session: Session,
  surroundings: Surroundings,
): Promise<{ manifests: Manifest[]; pruned: readonly Pruned[] }> {
  if (plan !== undefined) return (await import('../plan-file.ts')).fromPlan(plan, session);
  const manifests = await manifestsOf(values, session, surroundings);
  return { manifests, pruned: prune ? await (await import('../prune.ts')).toPrune(session, manifests, selector) : [] };
}

/**
 * Sends all; namespaces first, since nothing can be made in one that is not there, then what others may refer to. Returns how many
 * were refused.
 */
async function send(
  session: Session,
  surroundings: Surroundings,
  manifests: readonly Manifest[],
  dryRun: DryRun | undefined,
): Promise<number> {
  let refused = 0;
  using progress = new Progress(surroundings, manifests, 'sent');
  const one = async (manifest: Manifest) => {
    try {
      const outcome = await submit(session.client, manifest, dryRun);
      progress.ends(manifest, () =>
        surroundings.out(`${describeManifest(manifest)} ${outcome}${dryRun ? ` (${dryRun} dry run)` : ''}\n`),
      );
    } catch (thrown) {
      refused++;
      const error = PlumbError.from(thrown, 'apply');
      progress.ends(manifest, () => complain(surroundings, error, describeManifest(manifest)));
    }
  };
  const projects = manifests.filter(({ resource }) => resource.kind === 'Namespace');
  const others = manifests.filter(({ resource }) => resource.kind !== 'Namespace' && !isOwn(resource));
  const own = manifests.filter(({ resource }) => isOwn(resource));
  for (const part of [projects, others, own]) await inParallel(part, WIDTH, one);
  return refused;
}
