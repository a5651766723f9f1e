/**
 * Tokens: random, kept in the store as SHA-256 only. A token has 256 random bits, so a plain hash cannot be turned back
 * by guessing. Who reads the store or the logs learns no token.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Ambient } from '@plumb/schemas';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

/** Who a request comes from. */
export interface User {
  name: string;
  groups: string[];
}

/** `api`: a bearer token of requests. `join`: lets agents buy a credential. */
export type TokenUse = 'api' | 'join';

interface TokenRecord {
  use: TokenUse;
  user: User;
  sha256: string;
}

const SECRET_BYTES = 32;

/** The tokens that are known, in memory; loaded once, since they change only at a start. */
export class Tokens {
  readonly #known: { use: TokenUse; user: User; digest: Buffer }[] = [];
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
    const known = entry && (JSON.parse(entry.value) as TokenRecord).sha256;
    const keep = kept !== undefined && (known === undefined || known === digestOf(kept).toString('hex'));
    const secret = keep ? kept : this.#ambient.ids.secret(SECRET_BYTES);
    const digest = digestOf(secret);
    const record: TokenRecord = { use, user, sha256: digest.toString('hex') };
    if (known !== record.sha256) {
      await this.#store.commit({
        preconditions: [{ key, revision: entry?.revision ?? 0 }],
        ops: [{ type: 'put', key, value: JSON.stringify(record) }],
      });
    }
    this.#known.push({ use, user, digest });
    return secret;
  }

  /** Who bears this secret, for this use; undefined for nobody. Takes the same time whatever is nearly right. */
  check(secret: string, use: TokenUse): User | undefined {
    const presented = digestOf(secret);
    let bearer: User | undefined;
    for (const token of this.#known) {
      const same = timingSafeEqual(presented, token.digest);
      if (same && token.use === use) bearer = token.user;
    }
    return bearer;
  }
}

function digestOf(secret: string): Buffer {
  return hash('sha256', secret, 'buffer');
}
