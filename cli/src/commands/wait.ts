import { terminal } from '@plumb/schemas/meta/error.ts';
import type { PlumbObject } from '@plumb/schemas/meta/object.ts';
import { awaitReady } from '../await-ready.ts';
import { type Command, parseCommand, targetsOf, withSession } from '../command.ts';
import { parseDuration } from '../duration.ts';
import { follow } from '../follow.ts';
import { Progress } from '../progress.ts';

export const wait: Command = {
  usage: `plumb wait KIND NAME… | KIND/NAME… | -f FILE-OR-FOLDER | -k FOLDER [-n NAMESPACE]
           [--for ready|deleted|condition=TYPE[=STATUS]] [--timeout 10m]

ready, the default, ends at once when an object has failed for good.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      for: { type: 'string', default: 'ready' },
      timeout: { type: 'string', default: '10m' },
    });
    const what = values.for as string;
    const holds = what === 'ready' ? undefined : condition(what);
    const timeoutMs = parseDuration(values.timeout as string, '--timeout');
    return withSession(values, surroundings, async (session) => {
      const targets = await targetsOf(values, positionals, session, surroundings);
      if (!holds) return awaitReady(session, surroundings, targets, timeoutMs);
      const stop = surroundings.interruptible();
      using progress = new Progress(surroundings, targets, what);
      const late = await follow({
        client: session.client,
        clock: surroundings.clock,
        timeoutMs,
        targets,
        stop,
        seen(target, object) {
          const done = holds(object);
          if (done) progress.becomes(target);
          return done;
        },
      });
      if (stop.aborted) return progress.interrupted(`${targets.length - late.length} of ${targets.length} are ${what}`);
      for (const target of late) progress.fails(target, `is not ${what} in time`);
      progress.close(targets.length - late.length);
      return late.length === 0 ? 0 : 1;
    });
  },
};

function condition(what: string): (object: PlumbObject | undefined) => boolean {
  if (what === 'deleted' || what === 'delete') return (object) => object === undefined;
  const [, type, status = 'True'] = /^condition=([^=]+)(?:=(.+))?$/.exec(what) ?? [];
  if (type === undefined) {
    throw terminal(
      'BadArgument',
      `--for must be ready, deleted or condition=TYPE[=STATUS], but is ${JSON.stringify(what)}`,
    );
  }
  return (object) =>
    object?.status?.conditions?.some(
      (candidate) =>
        candidate.type.toLowerCase() === type.toLowerCase() && candidate.status.toLowerCase() === status.toLowerCase(),
    ) ?? false;
}
