import type { PlumbError } from '@plumb/schemas';
import type { Dialled } from './dial.ts';
import type { HostSession } from './host-session.ts';

export interface JoinOptions {
  dial: Pick<Dialled, 'join'>;
  registerZone: string;
  /** Called at each attempt to join. */
  joinSecret(): Promise<string>;
  log: (line: string) => void;
}

/** Reasons for which a host may not join until a person says that it may, or gives it another token. */
const UNTIL_TOLD = new Set(['WrongJoinToken', 'HostTaken', 'HostRemoved']);

/** Buys the host a credential of its own. Rejects with the server's reason. */
export async function joinHost({ identity, name }: HostSession, options: JoinOptions): Promise<void> {
  const { dial, registerZone, joinSecret, log } = options;
  const token = await joinSecret();
  await identity.beforeJoin();
  try {
    await dial.join({ token, host: name, registerZone, credentialSha256: identity.credentialSha256 });
  } catch (error) {
    if (UNTIL_TOLD.has((error as PlumbError).reason)) identity.hope();
    throw error;
  }
  await identity.afterJoin();
  log(`${name}: joined`);
}

/** Of thousands of hosts that cannot join no more are tried at a time. */
const TRIED = 16;

/**
 * A host whose credential may be known, to open a stream with; from the one at `first` on, and joining, if it must. Rejects when none
 * can be had, with why the last could not join.
 */
export async function bearerOf(
  hosts: readonly HostSession[],
  first: number,
  options: JoinOptions,
): Promise<HostSession> {
  let failure: unknown = new Error('there is no host to speak for');
  for (let n = 0; n < Math.min(TRIED, hosts.length); n++) {
    const host = hosts[(first + n) % hosts.length]!;
    try {
      if (!host.identity.mayBeKnown) await joinHost(host, options);
      return host;
    } catch (error) {
      failure = error;
    }
  }
  throw failure;
}
