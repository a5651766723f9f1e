import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { type Options, optionsOf } from '../apply-options.ts';
import { applyAtomic } from '../atomic.ts';
import { awaitReady } from '../await-ready.ts';
import {
  type Command,
  inParallel,
  manifestsOf,
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
import { isOwn, objectPath } from '../resources.ts';
import { isContested, submit } from '../submit.ts';
import type { Surroundings } from '../surroundings.ts';

/** Requests at the same time. */
const WIDTH = 64;

export const apply: Command = {
  usage: `plumb apply -f FILE-OR-FOLDER [-R] [-f …] | -k FOLDER | --plan FILE [-n NAMESPACE] [--atomic]
            [--prune -l SELECTOR] [--dry-run=client|server] [--force-conflicts] [-o name|yaml|json]
            [--no-wait] [--timeout 10m]

Creates what is missing and changes what differs; order does not matter. What a manifest names is owned by it:
what it names no more goes, what others own stays. Then waits until every object is ready. Exit code 1 when one is refused, fails, or is not ready in time.

--atomic              all as one; if one fails, every object and what runs return to what they were;
                      at most 100 objects
--plan FILE           what "plumb plan --out FILE" planned, and nothing if the world has moved since (PlanOutdated)
--prune -l SELECTOR   and delete what was applied before, matches the selector and is declared no more
--force-conflicts     take fields that others own, such as Terraform or a person with kubectl
--dry-run=server      write nothing: the server judges each object as if it were written
--dry-run=client      write nothing: compare with what is stored
-o yaml|json          print the objects as they are stored then

Ctrl-C says how many were sent; the server goes on with those.
`,
  run(argv, surroundings) {
    const { values } = parseCommand(argv, {
      atomic: { type: 'boolean', default: false },
      plan: { type: 'string' },
      prune: { type: 'boolean', default: false },
      selector: { type: 'string', short: 'l' },
      'dry-run': { type: 'string' },
      'force-conflicts': { type: 'boolean', default: false },
      output: { type: 'string', short: 'o' },
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
      const { refused, interrupted } = await send(session, surroundings, manifests, options);
      if (interrupted !== undefined) return interrupted;
      if (refused > 0) return 1;
      if (pruned.length > 0) {
        const { prune } = await import('../prune.ts');
        const code = await prune(session, surroundings, pruned, dryRun, values['no-wait'] ? undefined : timeoutMs);
        if (code !== 0) return code;
      }
      if (options.output === 'yaml' || options.output === 'json')
        await print(session, surroundings, manifests, options.output);
      if (values['no-wait'] || dryRun) return 0;
      // Built-in kinds have no conditions to wait for.
      const waited = manifests.filter(({ resource }) => isOwn(resource));
      return waited.length === 0 ? 0 : awaitReady(session, surroundings, waited, timeoutMs);
    });
  },
};

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
 * were refused, and the exit code if a person ended it.
 */
async function send(
  session: Session,
  surroundings: Surroundings,
  manifests: readonly Manifest[],
  { dryRun, force, output }: Pick<Options, 'dryRun' | 'force' | 'output'>,
): Promise<{ refused: number; interrupted?: number }> {
  const stop = surroundings.interruptible();
  let sent = 0;
  let refused = 0;
  using progress = new Progress(surroundings, manifests, 'sent');
  const one = async (manifest: Manifest) => {
    try {
      const outcome = await submit(session.client, manifest, { dryRun, force });
      sent++;
      const words = `${outcome}${dryRun ? ` (${dryRun} dry run)` : ''}`;
      progress.ends(manifest, () => {
        if (output === 'name') surroundings.out(`${describeManifest(manifest)}\n`);
        else if (output === undefined) surroundings.out(`${describeManifest(manifest)} ${words}\n`);
      });
    } catch (thrown) {
      refused++;
      const error = PlumbError.from(thrown, 'apply');
      progress.ends(manifest, () => refuse(surroundings, error, manifest));
    }
  };
  const projects = manifests.filter(({ resource }) => resource.kind === 'Namespace');
  const others = manifests.filter(({ resource }) => resource.kind !== 'Namespace' && !isOwn(resource));
  const own = manifests.filter(({ resource }) => isOwn(resource));
  for (const part of [projects, others, own]) await inParallel(part, WIDTH, one, stop);
  if (!stop.aborted || sent + refused === manifests.length) return { refused };
  const refusals = refused > 0 ? `, and ${refused} refused` : '';
  return {
    refused,
    interrupted: progress.interrupted(
      `${sent} of ${manifests.length} were sent${refusals}; the server goes on with those, and plumb apply sends the rest`,
    ),
  };
}

const CONTESTED = '--force-conflicts takes what others own; or leave it out, or say the same\n';

function refuse(surroundings: Surroundings, error: PlumbError, manifest: Manifest): void {
  const contested = isContested(error);
  // The sentence names the fields.
  complain(surroundings, contested ? terminal(error.reason, error.message) : error, describeManifest(manifest));
  if (contested) surroundings.err(CONTESTED);
}

/** The objects as they are stored now. */
async function print(
  session: Session,
  surroundings: Surroundings,
  manifests: readonly Manifest[],
  form: 'yaml' | 'json',
): Promise<void> {
  const items = await inParallel(manifests, WIDTH, ({ resource, namespace, name }) =>
    session.client.send('GET', objectPath(resource, namespace, name)),
  );
  const shown = items.length === 1 ? items[0] : { apiVersion: 'v1', kind: 'List', items };
  surroundings.out(await (await import('../render.ts')).render(shown, form));
}
