/** The store with its secrets encrypted: the key file is read, or made at the first start, and what an older key encrypted is encrypted anew. */
import { join } from 'node:path';
import { terminal } from '@plumb/schemas';
import { readPrivate, writePrivate } from '@plumb/schemas/files/private-file.ts';
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
