/** Which hosts have joined, and how they prove that they are who they say. The store holds hashes only. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@plumb/schemas';
import { NAME_PATTERN } from '@plumb/schemas/meta/schema.ts';
import { keys } from '../store/keys.ts';
import { parsedRecord } from '../store/parsed.ts';
import type { Op, Precondition, Store } from '../store/store.ts';

const PREFIX = keys.credential('');
const HOST_NAME = new RegExp(NAME_PATTERN);
const WATCH_AGAIN_MS = 1_000;

/** Says that a host may be declared in any zone that its agent names. */
export const ANY_ZONE = '*';

export interface Credential {
  sha256: string;
  /** Zone in which the host is declared when its agent asks for it, {@link ANY_ZONE}, or none. */
  registers?: string;
  /** id of the join token by which it came. */
  token?: string;
  /** When it came, in milliseconds since the epoch. */
  at?: number;
}

/** The host was deleted: its name is admitted anew by a person only. */
export interface Removed {
  removedAt: number;
  /** As of the credential that it had. */
  registers?: string;
  /** A person took it from an agent that spoke for the host: only a person gives it to one again. */
  evicted?: true;
}

export interface FoundCredential {
  /** Undefined when the name never joined. */
  record: Credential | Removed | undefined;
  /** 0 when there is none. */
  revision: number;
}

export function isHostName(host: string): boolean {
  return HOST_NAME.test(host);
}

export async function findCredential(store: Pick<Store, 'get'>, host: string): Promise<FoundCredential> {
  const entry = await store.get(keys.credential(host));
  return { record: entry && (readCredential(entry.value) ?? UNREADABLE), revision: entry?.revision ?? 0 };
}

/** Undefined when it cannot be read. */
export function readCredential(value: string): Credential | Removed | undefined {
  return parsedRecord<Credential>(credentialSchema, value) ?? parsedRecord<Removed>(removedSchema, value);
}

/** Nobody knows who had the name: no agent bears it before a person admits one, and no token that was made does. */
const UNREADABLE: Removed = { removedAt: Number.MAX_SAFE_INTEGER };

const text = { type: 'string' };
const time = { type: 'integer', minimum: 0 };
const credentialSchema = {
  type: 'object',
  required: ['sha256'],
  properties: { sha256: text, registers: text, token: text, at: time },
};
const removedSchema = {
  type: 'object',
  required: ['removedAt'],
  properties: { removedAt: time, registers: text, evicted: { type: 'boolean' } },
};

/** Whether the host has joined and its name was not freed since. */
export function isLive(record: FoundCredential['record']): record is Credential {
  return record !== undefined && 'sha256' in record;
}

export function isSame({ sha256 }: Credential, offeredSha256: string): boolean {
  const [known, offered] = [Buffer.from(sha256, 'hex'), Buffer.from(offeredSha256, 'hex')];
  return known.length === offered.length && timingSafeEqual(known, offered);
}

/** How people tell a credential from another: the first digits of its SHA-256. */
export function fingerprint(sha256: string): string {
  return sha256.slice(0, 16);
}

/** What is known of the credential, if it is the host's own. */
export async function identify(store: Store, host: string, credential: string): Promise<Credential | undefined> {
  if (!isHostName(host)) return undefined;
  const { record } = await findCredential(store, host);
  const offered = createHash('sha256').update(credential).digest('hex');
  return isLive(record) && isSame(record, offered) ? record : undefined;
}

/** Whether the credential is the host's own. */
export async function isCredentialOf(store: Store, host: string, credential: string): Promise<boolean> {
  return (await identify(store, host, credential)) !== undefined;
}

export async function hasCredential(store: Store, host: string): Promise<boolean> {
  return isLive((await findCredential(store, host)).record);
}

/** What takes the credential of a deleted host away, and remembers that it was deleted. */
export function removal(
  host: string,
  { record, revision }: FoundCredential,
  nowMs: number,
  evicted = false,
): { preconditions: Precondition[]; ops: Op[] } {
  const key = keys.credential(host);
  const preconditions = [{ key, revision }];
  if (!isLive(record)) return { preconditions, ops: [] };
  const removed: Removed = {
    removedAt: nowMs,
    ...(record.registers ? { registers: record.registers } : {}),
    ...(evicted ? { evicted: true } : {}),
  };
  return { preconditions, ops: [{ type: 'put', key, value: JSON.stringify(removed) }] };
}

/**
 * Tells which hosts lose their credential, or have another now, until `signal` aborts. `onGap`: some may have been missed, ask
 * for each. Never rejects.
 */
export async function watchCredentials(
  store: Store,
  clock: Clock,
  signal: AbortSignal,
  onRemoved: (host: string) => void,
  onGap: () => void,
): Promise<void> {
  while (!signal.aborted) {
    try {
      const from = store.revision();
      onGap();
      for await (const { changes } of store.watch(PREFIX, from, signal))
        for (const { key, value, previous } of changes)
          if (sha256Of(previous) !== undefined && sha256Of(previous) !== sha256Of(value))
            onRemoved(key.slice(PREFIX.length));
    } catch {
      // Compacted, too slow, or the store is closing: look again a little later.
    }
    if (!signal.aborted) await pause(clock, WATCH_AGAIN_MS, signal);
  }
}

function sha256Of(value: string | undefined): string | undefined {
  const record = value === undefined ? undefined : readCredential(value);
  return isLive(record) ? record.sha256 : undefined;
}

function pause(clock: Clock, ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      stop();
      signal.removeEventListener('abort', wake);
      resolve();
    };
    const stop = clock.after(ms, wake);
    signal.addEventListener('abort', wake);
  });
}
