/** The key that signs tokens of ServiceAccounts, kept in the data folder. Without it, all of them are void. */
import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { join } from 'node:path';
import { readPrivate, writePrivate } from '@plumb/schemas/files/private-file.ts';

/** Reads the key, or makes one. */
export async function openAccountKey(folder: string, log: (line: string) => void): Promise<KeyObject> {
  const path = join(folder, 'accounts.key');
  const text = await readPrivate(path, { log });
  const kept = text === undefined ? undefined : keyOf(text);
  if (kept) return kept;
  if (text !== undefined)
    log(`${path} holds no key of P-256: another one was made, and tokens of ServiceAccounts of before are void`);
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writePrivate(path, privateKey.export({ type: 'pkcs8', format: 'pem' }) as string);
  return privateKey;
}

function keyOf(pem: string): KeyObject | undefined {
  try {
    const key = createPrivateKey(pem);
    return key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? key : undefined;
  } catch {
    return undefined;
  }
}
