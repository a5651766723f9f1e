/**
 * Tokens: random, kept in the store as SHA-256 only. A token has 256 random bits, so a plain hash cannot be turned back
 * by guessing. Who reads the store or the logs learns no token.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Ambient } from '@plumb/schemas';
import type { Identity } from '../authorization/policy.ts';
import { keys } from '../store/keys.ts';
import { parsedRecord } from '../store/parsed.ts';
import type { Store } from '../store/store.ts';

/** Who a request comes from. */
export interface User extends Identity {
  /** Aborted when the token by which we know it becomes void. */
  until?: AbortSignal;
  /** When it becomes void by itself. Milliseconds since the epoch; never, if absent. */
  expiresAt?: number;
}

/** `api`: a bearer token of requests. `join`: lets agents buy a credential. */
export type TokenUse = 'api' | 'join';

interface TokenRecord {
  use: TokenUse;
  user: User;
  sha256: string;
}

interface Known {
  use: TokenUse;
  user: User;
  digest: Buffer;
  ending: AbortController;
}

const SECRET_BYTES = 32;

const tokenSchema = { type: 'object', required: ['sha256'], properties: { sha256: { type: 'string' } } };

/** The tokens that are known, by name, in memory: only this process changes them. */
export class Tokens {
  readonly #known = new Map<string, Known>();
  readonly #store: Store;
  readonly #ambient: Ambient;

  constructor(store: Store, ambient: Ambient) {
    this.#store = store;
    this.#ambient = ambient;
  }

  /**
   * Makes the token `name` usable and returns its secret. `kept` is the secret that a file still holds: it stays valid
   * unless the store knows another, and is taken over by a store that knows none. Otherwise a new secret is made and
   * the one before is void.
   */
  async open(name: string, use: TokenUse, user: User, kept: string | undefined): Promise<string> {
    const key = keys.control(`token/${name}`);
    const entry = await this.#store.get(key);
    // One that cannot be read is none: the secret that the file still holds is taken over.
    const known = entry && parsedRecord<TokenRecord>(tokenSchema, entry.value)?.sha256;
    const keep = kept !== undefined && (known === undefined || known === digestOf(kept).toString('hex'));
    const secret = keep ? kept : this.#ambient.ids.secret(SECRET_BYTES);
    const record: TokenRecord = { use, user, sha256: digestOf(secret).toString('hex') };
    if (known !== record.sha256) await this.#keep(key, entry?.revision ?? 0, record);
    this.#learn(name, record);
    return secret;
  }

  /** Makes a new secret for a token that is open. The one before is void when this resolves, and what it began ends. */
  async rotate(name: string): Promise<string> {
    const before = this.#known.get(name);
    if (!before) throw new TypeError(`the token ${name} is not open`);
    const key = keys.control(`token/${name}`);
    const entry = await this.#store.get(key);
    const secret = this.#ambient.ids.secret(SECRET_BYTES);
    const { until: _, ...user } = before.user;
    const record: TokenRecord = { use: before.use, user, sha256: digestOf(secret).toString('hex') };
    await this.#keep(key, entry?.revision ?? 0, record);
    this.#learn(name, record);
    before.ending.abort();
    return secret;
  }

  async #keep(key: string, revision: number, record: TokenRecord): Promise<void> {
    await this.#store.commit({
      preconditions: [{ key, revision }],
      ops: [{ type: 'put', key, value: JSON.stringify(record) }],
    });
  }

  #learn(name: string, { use, user, sha256 }: TokenRecord): void {
    const ending = new AbortController();
    this.#known.set(name, { use, user: { ...user, until: ending.signal }, digest: Buffer.from(sha256, 'hex'), ending });
  }

  /** Who bears this secret, for this use; undefined for nobody. Takes the same time whatever is nearly right. */
  check(secret: string, use: TokenUse): User | undefined {
    const presented = digestOf(secret);
    let bearer: User | undefined;
    for (const token of this.#known.values()) {
      const same = timingSafeEqual(presented, token.digest);
      if (same && token.use === use) bearer = token.user;
    }
    return bearer;
  }
}

function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
