/**
 * Hosts that ask to be let in under a name that has another credential, or was deleted: only a person can say that they are
 * who they say. In memory: they ask again.
 */
import { type Clock, type PlumbError, retryable, terminal } from '@plumb/schemas';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';
import { type Credential, findCredential, fingerprint, isLive } from './credentials.ts';

export interface Newcomer {
  host: string;
  sha256: string;
  /** Where it asks from. */
  address: string;
  /** Why it was not let in. */
  why: PlumbError;
}

export interface NotedNewcomer extends Newcomer {
  /** When it asked last, in milliseconds since the epoch. */
  at: number;
}

/** Agents ask at least every 30 s. */
const REMEMBERED_MS = 600_000;
/** Credentials that are remembered of one name, and names: the oldest go first. */
const MOST_OF_NAME = 8;
const MOST_NAMES = 10_000;

export class Newcomers {
  readonly #clock: Clock;
  readonly #onNoted: (host: string) => void;
  /** Name → SHA-256 → who asks with it. */
  readonly #asking = new Map<string, Map<string, NotedNewcomer>>();

  /** `onNoted`: called with a name of which another credential asks than before. */
  constructor(clock: Clock, onNoted: (host: string) => void) {
    this.#clock = clock;
    this.#onNoted = onNoted;
  }

  note(newcomer: Newcomer): void {
    const { host, sha256 } = newcomer;
    const asking = this.#asking.get(host) ?? new Map<string, NotedNewcomer>();
    const isNews = !asking.delete(sha256);
    asking.set(sha256, { ...newcomer, at: this.#clock.now() });
    if (asking.size > MOST_OF_NAME) asking.delete(asking.keys().next().value!);
    this.#asking.delete(host);
    this.#asking.set(host, asking);
    if (this.#asking.size > MOST_NAMES) this.#asking.delete(this.#asking.keys().next().value!);
    if (isNews) this.#onNoted(host);
  }

  /** Who asks under the name, the latest first. */
  of(host: string): NotedNewcomer[] {
    const now = this.#clock.now();
    const asking = [...(this.#asking.get(host)?.values() ?? [])];
    return asking.filter(({ at }) => now - at < REMEMBERED_MS).reverse();
  }

  all(): NotedNewcomer[] {
    return [...this.#asking.keys()].flatMap((host) => this.of(host));
  }

  forget(host: string): void {
    this.#asking.delete(host);
  }

  /** Why the host of this name is not heard, where somebody asks for it. */
  problemOf(host: string): PlumbError | undefined {
    const [latest] = this.of(host);
    return (
      latest &&
      retryable(
        latest.why.reason,
        `an agent at ${latest.address || 'an unknown address'} asks to be let in: ${latest.why.message}`,
      )
    );
  }
}

/** Digits of a fingerprint that tell a credential from one that somebody made to look like it. */
const LEAST_DIGITS = 8;

/**
 * Gives the name the credential that asks for it; the one before is void. `prefix`: the beginning of its fingerprint, needed where
 * several ask, or where the name has a credential: its host may merely be off, and who asks be a stranger. Resolves with whose
 * credential it is now. Throws PlumbError `NotFound`, `Ambiguous` or `FingerprintNeeded` (terminal).
 */
export async function readmit(
  store: Store,
  newcomers: Newcomers,
  nowMs: number,
  host: string,
  prefix = '',
): Promise<NotedNewcomer> {
  const asking = newcomers.of(host).filter(({ sha256 }) => sha256.startsWith(prefix));
  const [newcomer, ...others] = asking;
  if (newcomer === undefined)
    throw terminal(
      'NotFound',
      othersAsking(newcomers.of(host), host, prefix) ??
        `no agent asks to be let in as host ${host}: start it with a join token that was made for it (plumb join-token create --host ${host}), then readmit it`,
    );
  if (others.length > 0) {
    throw terminal(
      'Ambiguous',
      `${asking.length} agents ask to be let in as host ${host}: ${asking.map(shown).join(', ')}; the log of the right one says its fingerprint: plumb host readmit ${host} --credential FINGERPRINT`,
    );
  }
  const { record, revision } = await findCredential(store, host);
  const isGuarded = isLive(record) || record?.evicted === true;
  if (isGuarded && prefix.length < LEAST_DIGITS)
    throw terminal(
      'FingerprintNeeded',
      `${isLive(record) ? `host ${host} has joined with the credential ${fingerprint(record.sha256)}, which would be void then` : `the credential of host ${host} was voided (plumb host fence --evict)`}; an agent asks with ${shown(newcomer)}. Read the fingerprint in the log of the agent on ${host} itself, and name at least ${LEAST_DIGITS} of its digits. If it is the one that asks: plumb host readmit ${host} --credential ${fingerprint(newcomer.sha256)}`,
    );
  const key = keys.credential(host);
  const registers = record?.registers;
  const value: Credential = { sha256: newcomer.sha256, at: nowMs, ...(registers ? { registers } : {}) };
  await store.commit({ preconditions: [{ key, revision }], ops: [{ type: 'put', key, value: JSON.stringify(value) }] });
  newcomers.forget(host);
  return newcomer;
}

/** Those that ask with other credentials than the one that was named; undefined if none does. */
function othersAsking(asking: readonly NotedNewcomer[], host: string, prefix: string): string | undefined {
  if (asking.length === 0) return undefined;
  return `no agent asks to be let in as host ${host} with a credential that begins with ${prefix}; asking: ${asking.map(shown).join(', ')}. Read the fingerprint in the log of the agent on ${host} itself`;
}

function shown({ sha256, address }: Newcomer): string {
  return `${fingerprint(sha256)} at ${address || 'an unknown address'}`;
}
