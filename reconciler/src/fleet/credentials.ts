/** Which hosts have joined, and how they prove that they are who they say. The store holds hashes only. */
import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';
import { NAME_PATTERN } from '@plumb/schemas/meta/schema.ts';
import { ConflictError } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

const PREFIX = keys.credential('');
const HOST_NAME = new RegExp(NAME_PATTERN);
const SHA256 = /^[0-9a-f]{64}$/;
const WATCH_AGAIN_MS = 1_000;

/**
 * Lets the host in under the credential with this SHA-256. Doing it again is doing it once. Throws PlumbError
 * `InvalidJoin` (terminal) and `HostTaken` (terminal) when the name has another credential.
 */
export async function admitHost(store: Store, host: string, credentialSha256: string): Promise<void> {
  if (!HOST_NAME.test(host))
    throw terminal('InvalidJoin', `${JSON.stringify(host)} is not a host name: use lower case letters, digits, dashes`);
  if (!SHA256.test(credentialSha256))
    throw terminal('InvalidJoin', `the credential of ${host} is not given by its SHA-256: update the agent`);
  const key = keys.credential(host);
  try {
    await store.commit({
      preconditions: [{ key, revision: 0 }],
      ops: [{ type: 'put', key, value: JSON.stringify({ sha256: credentialSha256 }) }],
    });
  } catch (error) {
    if (!(error instanceof ConflictError)) throw error;
    const known = await digestOf(store, host);
    if (known === undefined) return admitHost(store, host, credentialSha256);
    if (timingSafeEqual(known, Buffer.from(credentialSha256, 'hex'))) return;
    throw terminal(
      'HostTaken',
      `a host named ${host} has joined before, with another credential. If it is gone or was set up anew, free its name with \`plumb delete host ${host}\`; else choose another name`,
    );
  }
}

/** Whether the credential is the host's own. */
export async function isCredentialOf(store: Store, host: string, credential: string): Promise<boolean> {
  if (!HOST_NAME.test(host)) return false;
  const known = await digestOf(store, host);
  const offered = createHash('sha256').update(credential).digest();
  return known !== undefined && timingSafeEqual(known, offered);
}

/** Whether the host has joined and its name was not freed since. */
export async function hasCredential(store: Store, host: string): Promise<boolean> {
  return (await store.get(keys.credential(host))) !== undefined;
}

/**
 * Tells which hosts lose their credential, until `signal` aborts. `onGap`: some may have been missed, ask for each.
 * Never rejects.
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
        for (const { key, value } of changes) if (value === undefined) onRemoved(key.slice(PREFIX.length));
    } catch {
      // Compacted, too slow, or the store is closing: look again a little later.
    }
    if (!signal.aborted) await pause(clock, WATCH_AGAIN_MS, signal);
  }
}

async function digestOf(store: Store, host: string): Promise<Buffer | undefined> {
  const entry = await store.get(keys.credential(host));
  return entry && Buffer.from(JSON.parse(entry.value).sha256, 'hex');
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
