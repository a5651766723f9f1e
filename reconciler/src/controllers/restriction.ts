/** Which hosts are told to remove resources only, and which get nothing new, as their Host and their agent say. */
import { type Host, type PlumbError, retryable } from '@plumb/schemas';
import type { Restriction } from '../fleet/restricted.ts';
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';

/** Undefined when resources may be made there. */
export function restrictionOf({ read, cache }: Pick<Context, 'read' | 'cache'>, name: string): Restriction | undefined {
  const key = keys.object('hosts', undefined, name);
  const host = read.get<Host>(key)?.object;
  if (host === undefined && cache.poisoned.get(key)) {
    const why = `what is declared of host ${name} cannot be understood: nothing is made there`;
    return { off: false, error: retryable('HostPoisoned', why) };
  }
  if (host === undefined)
    return { off: false, error: retryable('HostNotDeclared', `host ${name} is not declared: nothing is made there`) };
  if (host.status?.fenced !== undefined) return { off: true, error: fencedError(host) };
  if (host.metadata.deletionTimestamp !== undefined)
    return {
      off: false,
      error: retryable('HostLeaving', `host ${name} is being deleted: nothing is made there any more`),
    };
  return undefined;
}

export function fencedError({ metadata: { name }, status }: Host): PlumbError {
  const { at, by } = status?.fenced ?? { at: '', by: '' };
  return retryable(
    'HostFenced',
    `${by} said at ${at} that host ${name} is off: until its agent has told what lives there, and has removed what went on elsewhere, it is told nothing else`,
  );
}

/** Why an instance that has nothing to lose is made on another host than this. */
export function unfitError(context: Pick<Context, 'read' | 'cache' | 'fleet'>, name: string): PlumbError | undefined {
  return restrictionOf(context, name)?.error ?? context.fleet.silenceOf(name);
}

/** Whether a person said that the host is off, and it has not come back since. */
export function isOff(context: Pick<Context, 'read' | 'cache' | 'liveness'>, name: string): boolean {
  return restrictionOf(context, name)?.off === true && !context.liveness.connected(name);
}
