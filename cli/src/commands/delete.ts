import { ApiError } from '@plumb/client/errors.ts';
import { settled } from '@plumb/client/settled.ts';
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { markCascade } from '../cascade.ts';
import {
  type Command,
  inParallel,
  namesFiles,
  parseCommand,
  type Session,
  targetsOf,
  withSession,
} from '../command.ts';
import { deleteRecords } from '../delete-record.ts';
import { parseDuration } from '../duration.ts';
import { complain } from '../failure.ts';
import { follow, type Target } from '../follow.ts';
import { tellInterrupted } from '../interrupt.ts';
import { describeManifest } from '../manifests.ts';
import { Progress } from '../progress.ts';
import { isOwn, objectPath } from '../resources.ts';
import { selectedTargets } from '../selector.ts';
import type { Surroundings } from '../surroundings.ts';

const WIDTH = 64;

export const remove: Command = {
  usage: `plumb delete KIND NAME… | KIND/NAME… | KIND -l SELECTOR | -f FILE-OR-FOLDER | -k FOLDER [-n NAMESPACE] [--cascade [--yes]] [--no-wait] [--timeout 10m]

plumb delete record KEY…         a record that cannot be read and that no object has (plumb get poisoned)

What is not there is no error. An object that others refer to goes when they are gone.
--cascade: also deletes all that refers to it; shows them and asks first, unless --yes.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      selector: { type: 'string', short: 'l' },
      cascade: { type: 'boolean', default: false },
      yes: { type: 'boolean', short: 'y', default: false },
      'no-wait': { type: 'boolean', default: false },
      timeout: { type: 'string', default: '10m' },
    });
    const timeoutMs = parseDuration(values.timeout as string, '--timeout');
    return withSession(values, surroundings, async (session) => {
      if (positionals[0] === 'record') return deleteRecords(session, surroundings, positionals.slice(1));
      const selector = values.selector as string | undefined;
      if (selector !== undefined && namesFiles(values))
        throw terminal('BadArgument', 'select objects with -l, or name files with -f, not both');
      const named =
        selector === undefined
          ? await targetsOf(values, positionals, session, surroundings)
          : await selectedTargets(positionals, selector, session);
      if (named.length === 0) surroundings.err('nothing found\n');
      const targets = values.cascade ? await markCascade(session, surroundings, named, values.yes as boolean) : named;
      if (!targets) return 1;
      // A namespace goes when it is empty: after everything else.
      const own = targets.filter(({ resource }) => isOwn(resource));
      const others = targets.filter(({ resource }) => !isOwn(resource) && resource.kind !== 'Namespace');
      const projects = targets.filter(({ resource }) => resource.kind === 'Namespace');
      for (const group of [own, others, projects]) {
        const code = await removeAll(session, surroundings, group, values['no-wait'] ? undefined : timeoutMs);
        if (code !== 0) return code;
      }
      return 0;
    });
  },
};

/** Deletes all, and waits until they are gone if there is a time for it. Exit code. */
export async function removeAll(
  session: Session,
  surroundings: Surroundings,
  targets: readonly (Target & { uid?: string })[],
  timeoutMs: number | undefined,
): Promise<number> {
  /** uid of what is on its way out, by target: another object of the same name is none of ours. */
  const going = new Map<Target, string>();
  const stop = surroundings.interruptible();
  let marked = 0;
  const refused = await mark(session, surroundings, targets, (target, uid) => {
    marked++;
    if (uid !== undefined) going.set(target, uid);
  });
  if (stop.aborted)
    return tellInterrupted(
      surroundings,
      `${marked} of ${targets.length} were asked to go, and go on; plumb delete asks the rest`,
    );
  if (timeoutMs === undefined)
    for (const target of going.keys()) surroundings.out(`${describeManifest(target)} is going\n`);
  else if (going.size > 0) {
    const late = await awaitGone(session, surroundings, going, timeoutMs);
    if (stop.aborted)
      return tellInterrupted(
        surroundings,
        `${going.size - late} of ${going.size} are gone; the others go on, and plumb wait --for deleted waits again`,
      );
    if (late > 0) return 1;
  }
  return refused > 0 ? 1 : 0;
}

/** Asks for the deletion of all; `going`: told of each that was not refused, with the uid of those that do not go at once. Returns how many were refused. */
async function mark(
  session: Session,
  surroundings: Surroundings,
  targets: readonly (Target & { uid?: string })[],
  going: (target: Target, uid: string | undefined) => void,
): Promise<number> {
  const stop = surroundings.interruptible();
  let refused = 0;
  using progress = new Progress(surroundings, targets, 'sent');
  const say = (target: Target, what: string) =>
    progress.ends(target, () => surroundings.out(`${describeManifest(target)} ${what}\n`));
  const one = async (target: Target & { uid?: string }) => {
    try {
      const body = await session.client.send(
        'DELETE',
        objectPath(target.resource, target.namespace, target.name),
        // Another object may have taken its name.
        target.uid === undefined ? {} : { body: { preconditions: { uid: target.uid } } },
      );
      if (body.kind === 'Status') {
        going(target, undefined);
        return say(target, 'deleted');
      }
      going(target, body.metadata.uid);
      progress.ends(target, () => {});
    } catch (thrown) {
      if (thrown instanceof ApiError && thrown.status === 404) {
        going(target, undefined);
        return say(target, 'is not there');
      }
      refused++;
      const error = PlumbError.from(thrown, 'delete');
      progress.ends(target, () => complain(surroundings, error, describeManifest(target)));
    }
  };
  await inParallel(targets, WIDTH, one, stop);
  return refused;
}

/** How many are still there after the time. */
async function awaitGone(
  session: Session,
  surroundings: Surroundings,
  going: ReadonlyMap<Target, string>,
  timeoutMs: number,
): Promise<number> {
  using progress = new Progress(surroundings, [...going.keys()], 'gone');
  const last = new Map<Target, string>();
  const late = await follow({
    client: session.client,
    clock: surroundings.clock,
    timeoutMs,
    targets: [...going.keys()],
    stop: surroundings.interruptible(),
    seen(target, object) {
      if (object && object.metadata.uid === going.get(target)) {
        const now = settled(object);
        if (now.state !== 'ready') {
          last.set(target, `${now.reason}: ${now.message}`);
          progress.waits(target, now.reason);
        }
        return false;
      }
      progress.becomes(target);
      return true;
    },
  });
  if (surroundings.interruptible().aborted) return late.length;
  for (const target of late) progress.fails(target, `is still there: ${last.get(target) ?? 'it does not say why'}`);
  progress.close(going.size - late.length);
  return late.length;
}
