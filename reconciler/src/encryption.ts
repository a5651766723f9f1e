/** The store with its secrets encrypted: the key file is read, or made at the first start, and what an older key encrypted is encrypted anew. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { terminal } from '@plumb/schemas';
import { readPrivate, writePrivate } from '@plumb/schemas/files/private-file.ts';
import { keys } from './store/keys.ts';
import { KeyRing } from './store/sealed/key-ring.ts';
import { reseal, SealedStore } from './store/sealed/sealed-store.ts';
import type { Store } from './store/store.ts';

/** The key file that the server makes. */
export const KEY_FILE = 'encryption-keys';

export interface EncryptionOptions {
  dataDir: string;
  /** A key file of somebody else's making; one in the data folder is made and used, if absent. */
  keyFile?: string | undefined;
  log(level: 'info' | 'warn', line: string): void;
}

/** Throws PlumbError `NoKeyFile`, `BadKeyFile` or `NotPrivate` (terminal). */
export async function openSealed(store: Store, { dataDir, keyFile, log }: EncryptionOptions): Promise<Store> {
  const ring = await keysOf(keyFile, join(dataDir, KEY_FILE), (line) => log('warn', line));
  const { renewed, unreadable } = await reseal(store, ring);
  if (renewed > 0) log('info', `${renewed} secret records were encrypted with the first key of the key file`);
  if (unreadable.length > 0)
    log(
      'warn',
      `${unreadable.length} secret records cannot be decrypted, as ${unreadable.slice(0, 3).join(', ')}: give the server the key file that they were written with; until then they are shown as Poisoned and nobody can use them`,
    );
  return new SealedStore(store, ring);
}

async function keysOf(given: string | undefined, own: string, log: (line: string) => void): Promise<KeyRing> {
  const file = given ?? own;
  let text = await readPrivate(file, { log });
  if (text === undefined) {
    if (given !== undefined)
      throw terminal('NoKeyFile', `there is no key file ${given}: --encryption-key-file names one that is there`);
    text = KeyRing.make();
    await writePrivate(own, text);
  }
  return KeyRing.parse(text, file);
}

const HASH_KEY_BYTES = 32;

/**
 * The key by which user data is hashed that lies in Secrets; made at the first start. When it cannot be decrypted, nor can the
 * Secrets: then one for this process does.
 */
export async function openHashKey(store: Store, log: EncryptionOptions['log']): Promise<Buffer> {
  const key = keys.control('hash-key');
  const entry = await store.get(key);
  const found = Buffer.from(entry?.value ?? '', 'base64');
  if (found.length === HASH_KEY_BYTES) return found;
  const made = randomBytes(HASH_KEY_BYTES);
  if (entry) {
    log(
      'warn',
      'the key by which user data is hashed cannot be read: guests with user data from Secrets may be told to restart',
    );
    return made;
  }
  await store.commit({
    preconditions: [{ key, revision: 0 }],
    ops: [{ type: 'put', key, value: made.toString('base64') }],
  });
  return made;
}
