/**
 * Join tokens: what lets an agent buy a credential. Each admits one host, or hosts of one zone that nobody has declared, so
 * often and for so long as it was made for. The store holds a hash of each, and who joined by it.
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Ambient } from '@plumb/schemas';
import { PlumbError, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { NAME_PATTERN } from '@plumb/schemas/meta/schema.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { parsedRecord } from '../store/parsed.ts';
import type { Entry, Store } from '../store/store.ts';

/** `host`: that name alone. `zone`: names that are not declared, which `--register ZONE` then declares. */
export type Admits = { host: string } | { zone: string };

export interface JoinTokenRecord {
  sha256: string;
  admits: Admits;
  /** How many hosts may join by it, those included that have. */
  uses: number;
  /** First to last. */
  joined: { host: string; at: number }[];
  /** All times in milliseconds since the epoch. */
  createdAt: number;
  createdBy: string;
  expiresAt: number;
  revokedAt?: number;
}

export type JoinTokenState = 'Valid' | 'UsedUp' | 'Expired' | 'Revoked';

/** A token as the store has it. */
export interface FoundToken {
  id: string;
  record: JoinTokenRecord;
  revision: number;
}

export interface JoinTokenWish {
  admits: Admits;
  uses: number;
  ttlSeconds: number;
  by: string;
}

export interface JoinTokensOptions {
  store: Store;
  ambient: Pick<Ambient, 'clock' | 'ids'>;
  limits: Pick<ServerLimits, 'joinTokens' | 'joinTokenUses' | 'joinTokenSeconds'>;
}

const SECRET_BYTES = 32;
const ID_DIGITS = 12;
const NAME = new RegExp(NAME_PATTERN);

export class JoinTokens {
  readonly #options: JoinTokensOptions;

  constructor(options: JoinTokensOptions) {
    this.#options = options;
  }

  /** Makes a token. Its secret is told here and never again. Throws PlumbError `BadRequest`, `TooManyTokens` (terminal). */
  async create({ admits, uses, ttlSeconds, by }: JoinTokenWish): Promise<FoundToken & { secret: string }> {
    const { store, ambient, limits } = this.#options;
    const name = 'host' in admits ? admits.host : admits.zone;
    if (!NAME.test(name)) throw terminal('BadRequest', `${JSON.stringify(name)} is not the name of a host or zone`);
    mustBe('uses', uses, limits.joinTokenUses);
    mustBe('ttlSeconds', ttlSeconds, limits.joinTokenSeconds);
    const overdue = await this.#makeRoom();
    const secret = ambient.ids.secret(SECRET_BYTES);
    const sha256 = hash('sha256', secret);
    const now = ambient.clock.now();
    const record: JoinTokenRecord = {
      ...{ sha256, admits, uses, joined: [], createdAt: now, createdBy: by, expiresAt: now + ttlSeconds * 1000 },
    };
    const id = idOf(sha256);
    const key = keys.joinToken(id);
    const { revision } = await store.commit({
      preconditions: [{ key, revision: 0 }, ...overdue.map((entry) => ({ key: entry.key, revision: entry.revision }))],
      ops: [
        { type: 'put', key, value: JSON.stringify(record) },
        ...overdue.map((entry) => ({ type: 'delete' as const, key: entry.key })),
      ],
    });
    return { id, record, revision, secret };
  }

  /** All that are kept, the newest first. */
  async list(): Promise<FoundToken[]> {
    const { entries } = await this.#options.store.list(keys.joinTokens);
    const tokens = entries.map(found).filter((token) => token !== undefined);
    return tokens.sort((a, b) => b.record.createdAt - a.record.createdAt || (a.id < b.id ? -1 : 1));
  }

  /** From now on no host joins by it; those that have stay. Throws PlumbError `NotFound` (terminal). */
  async revoke(id: string): Promise<void> {
    const { store, ambient } = this.#options;
    for (;;) {
      const entry = await store.get(keys.joinToken(id));
      if (!entry) throw terminal('NotFound', `there is no join token ${JSON.stringify(id)}: plumb join-token list`);
      const token = found(entry);
      if (token?.record.revokedAt !== undefined) return;
      const record = token?.record ?? UNREADABLE;
      const value = JSON.stringify({ ...record, revokedAt: ambient.clock.now() });
      try {
        await store.commit({
          preconditions: [{ key: entry.key, revision: entry.revision }],
          ops: [{ type: 'put', key: entry.key, value }],
        });
        return;
      } catch (error) {
        // A host joined by it meanwhile.
        if (!(error instanceof ConflictError)) throw error;
      }
    }
  }

  /** The token with this secret, whatever its state; undefined when there is none. */
  async find(secret: string): Promise<FoundToken | undefined> {
    const sha256 = hash('sha256', secret);
    const entry = await this.#options.store.get(keys.joinToken(idOf(sha256)));
    if (!entry) return undefined;
    const token = found(entry);
    if (token?.record.sha256.length !== sha256.length) return undefined;
    return timingSafeEqual(Buffer.from(token.record.sha256), Buffer.from(sha256)) ? token : undefined;
  }

  stateOf({ record: { revokedAt, expiresAt, joined, uses } }: Pick<FoundToken, 'record'>): JoinTokenState {
    if (revokedAt !== undefined) return 'Revoked';
    if (joined.length >= uses) return 'UsedUp';
    return this.#options.ambient.clock.now() >= expiresAt ? 'Expired' : 'Valid';
  }

  /** What is over goes, the oldest first, as far as there must be room for one more. */
  async #makeRoom(): Promise<Entry[]> {
    const { store, limits } = this.#options;
    const { entries } = await store.list(keys.joinTokens);
    const excess = entries.length + 1 - limits.joinTokens;
    if (excess <= 0) return [];
    const recordOf = (entry: Entry) => found(entry)?.record ?? UNREADABLE;
    const over = entries.filter((entry) => this.stateOf({ record: recordOf(entry) }) !== 'Valid');
    if (over.length < excess)
      throw terminal(
        'TooManyTokens',
        `there are ${entries.length} join tokens, most of which are valid: revoke some (plumb join-token list)`,
      );
    const age = (entry: Entry) => recordOf(entry).createdAt;
    return over.sort((a, b) => age(a) - age(b)).slice(0, Math.min(excess, MOST_AT_ONCE));
  }
}

/** Keys of one batch of the store. */
const MOST_AT_ONCE = 50;

/** Undefined when it cannot be read: then it admits nobody. */
function found({ key, value, revision }: Entry): FoundToken | undefined {
  const record = readJoinToken(value);
  return record && { id: key.slice(keys.joinTokens.length), record, revision };
}

export function readJoinToken(value: string): JoinTokenRecord | undefined {
  const record = parsedRecord<JoinTokenRecord>(recordSchema, value);
  const { host, zone } = (record?.admits ?? {}) as { host?: string; zone?: string };
  return (host === undefined) === (zone === undefined) ? undefined : record;
}

const text = { type: 'string' };
const time = { type: 'integer', minimum: 0 };
const recordSchema = {
  type: 'object',
  required: ['sha256', 'admits', 'uses', 'joined', 'createdAt', 'createdBy', 'expiresAt'],
  properties: {
    sha256: text,
    admits: { type: 'object', properties: { host: text, zone: text } },
    uses: time,
    joined: {
      type: 'array',
      items: { type: 'object', required: ['host', 'at'], properties: { host: text, at: time } },
    },
    ...{ createdAt: time, createdBy: text, expiresAt: time, revokedAt: time },
  },
};

/** What is over, and older than all others. */
const UNREADABLE: JoinTokenRecord = {
  ...{ sha256: '', admits: { host: '' }, uses: 0, joined: [], createdAt: 0, createdBy: '', expiresAt: 0 },
};

function idOf(sha256: string): string {
  return sha256.slice(0, ID_DIGITS);
}

function mustBe(field: string, value: number, most: number): void {
  if (Number.isInteger(value) && value >= 1 && value <= most) return;
  const message = `${field} must be a whole number from 1 to ${most}`;
  throw new PlumbError({ reason: 'BadRequest', message, retry: 'terminal', fields: [{ field, message }] });
}
