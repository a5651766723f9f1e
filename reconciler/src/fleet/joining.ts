/**
 * Joining: a host buys a credential of its own with a join token. What the token admits, its uses and the name are decided in one
 * commit, so that of two who come at once one is let in. Wrong tokens are answered alike, whatever is wrong with them.
 */
import type { Clock, PlumbError } from '@plumb/schemas';
import { retryable, terminal } from '@plumb/schemas';
import type { JoinRequest } from '@plumb/schemas/wire/messages.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { isBeingDeleted } from '../store/object-codec.ts';
import type { Batch, Store } from '../store/store.ts';
import {
  ANY_ZONE,
  type Credential,
  findCredential,
  fingerprint,
  isHostName,
  isLive,
  isSame,
  type Removed,
} from './credentials.ts';
import type { FoundToken, JoinTokens } from './join-tokens.ts';
import type { Newcomers } from './newcomers.ts';

export interface JoiningOptions {
  store: Store;
  clock: Clock;
  tokens: JoinTokens;
  /** Whether the bearer may join as any host, as often as it likes. Takes the same time whatever is nearly right. */
  mayJoinAsAny(presented: string): boolean;
  newcomers: Newcomers;
}

/** What was presented: the token of a server that nobody else reaches, or one that somebody made. */
type Grant = { any: true } | { any: false; token: FoundToken };

const SHA256 = /^[0-9a-f]{64}$/;
const MOST_CONFLICTS = 16;

export class Joining {
  readonly #options: JoiningOptions;

  constructor(options: JoiningOptions) {
    this.#options = options;
  }

  /**
   * Lets the host in under the credential with this SHA-256. Doing it again is doing it once. `address`: where the request comes
   * from. Throws PlumbError `WrongJoinToken`, `InvalidJoin`, `HostTaken` and `HostRemoved` (terminal).
   */
  async join(request: JoinRequest, address: string): Promise<void> {
    for (let attempt = 0; ; attempt++) {
      const batch = await this.#decide(request, address);
      if (batch === undefined) return;
      try {
        await this.#options.store.commit(batch);
        this.#options.newcomers.forget(request.host);
        return;
      } catch (error) {
        if (!(error instanceof ConflictError)) throw error;
        if (attempt >= MOST_CONFLICTS) throw retryable('Conflict', `many hosts join at once: try again`, error);
      }
    }
  }

  /** What lets it in; undefined when it is in already. */
  async #decide({ token, host, credentialSha256: sha256 }: JoinRequest, address: string): Promise<Batch | undefined> {
    const { store, clock, newcomers } = this.#options;
    const grant = await this.#grantOf(token);
    if (grant === undefined) throw wrongToken();
    if (!isHostName(host))
      throw terminal(
        'InvalidJoin',
        `${JSON.stringify(host)} is not a host name: use lower case letters, digits, dashes`,
      );
    if (!SHA256.test(sha256))
      throw terminal('InvalidJoin', `the credential of ${host} is not given by its SHA-256: update the agent`);
    const credential = await findCredential(store, host);
    const { record } = credential;
    const refuse = (error: PlumbError): never => {
      if (!isKnownTo(grant, host)) throw wrongToken();
      newcomers.note({ host, sha256, address, why: error });
      throw error;
    };
    if (isLive(record)) {
      // A lost answer is asked for again: the use was counted.
      if (isSame(record, sha256) && isKnownTo(grant, host)) return undefined;
      return refuse(taken(host, sha256));
    }
    const object = await store.get(keys.object('hosts', undefined, host));
    if (record !== undefined) {
      const isNews = grant.any
        ? object !== undefined && !isBeingDeleted(object) && record.evicted !== true
        : 'host' in grant.token.record.admits && grant.token.record.createdAt >= record.removedAt;
      if (!isNews) return refuse(removed(host, sha256, record));
    }
    if (!this.#admits(grant, host)) throw wrongToken();
    const now = clock.now();
    const key = keys.credential(host);
    const comes: Credential = { sha256, at: now };
    if (grant.any) {
      const value = JSON.stringify({ ...comes, registers: ANY_ZONE } satisfies Credential);
      return { preconditions: [{ key, revision: credential.revision }], ops: [{ type: 'put', key, value }] };
    }
    const { id, record: made, revision } = grant.token;
    const zone = 'zone' in made.admits ? made.admits.zone : undefined;
    if (zone !== undefined && object !== undefined) throw wrongToken();
    const named = { ...comes, token: id, ...(zone === undefined ? {} : { registers: zone }) } satisfies Credential;
    const used = { ...made, joined: [...made.joined, { host, at: now }] };
    return {
      preconditions: [
        { key, revision: credential.revision },
        { key: keys.joinToken(id), revision },
        ...(zone === undefined ? [] : [{ key: keys.object('hosts', undefined, host), revision: 0 }]),
      ],
      ops: [
        { type: 'put', key, value: JSON.stringify(named) },
        { type: 'put', key: keys.joinToken(id), value: JSON.stringify(used) },
      ],
    };
  }

  async #grantOf(presented: string): Promise<Grant | undefined> {
    const { tokens, mayJoinAsAny } = this.#options;
    const isAny = mayJoinAsAny(presented);
    const token = await tokens.find(presented.trim().split('.', 1)[0]!);
    return isAny ? { any: true } : token && { any: false, token };
  }

  #admits(grant: Grant, host: string): boolean {
    if (grant.any) return true;
    const { admits } = grant.token.record;
    return this.#options.tokens.stateOf(grant.token) === 'Valid' && (!('host' in admits) || admits.host === host);
  }
}

/** Whether the bearer may be told of the name: it is the one that the token is for, or has joined by it. */
function isKnownTo(grant: Grant, host: string): boolean {
  if (grant.any) return true;
  const { admits, joined, revokedAt } = grant.token.record;
  if (revokedAt !== undefined) return false;
  return 'host' in admits ? admits.host === host : joined.some((one) => one.host === host);
}

function wrongToken(): PlumbError {
  return terminal(
    'WrongJoinToken',
    'the join token does not let this host in: it is not of this server, or it is for another host, used up, expired or revoked. Make one: plumb join-token create --host NAME',
  );
}

function taken(host: string, sha256: string): PlumbError {
  return terminal(
    'HostTaken',
    `a host named ${host} has joined before, with another credential. If this is that host, let it in as it is: plumb host readmit ${host} --credential ${fingerprint(sha256)} (the fingerprint of this credential); else choose another name`,
  );
}

function removed(host: string, sha256: string, { evicted }: Removed): PlumbError {
  return terminal(
    'HostRemoved',
    `host ${host} was ${evicted ? 'taken from its agent, which a person fenced' : 'deleted'}. To have it back: plumb host readmit ${host} --credential ${fingerprint(sha256)} (the fingerprint of this credential), or a new join token: plumb join-token create --host ${host}`,
  );
}
