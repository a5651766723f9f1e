/** The key that signs a release: one that a person names, else a throwaway key of this folder, for trying. */
import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Signer } from './openpgp.ts';

/** When a throwaway key was made, in seconds since the epoch: always the same, so that its bytes are. */
const THROWAWAY_MADE = 1_700_000_000;

/** Reads an RSA key in PEM. `made`: when, in seconds since the epoch, which is part of the key's fingerprint. */
export function signerFrom(file: string, user: string, made: number): Signer {
  return { key: createPrivateKey(readFileSync(file)), user, made };
}

/** The throwaway key in `file`, which is made when there is none. Nobody is to trust it. */
export function throwawaySigner(file: string): Signer {
  if (!existsSync(file)) {
    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 3072 });
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, privateKey.export({ format: 'pem', type: 'pkcs8' }), { mode: 0o600 });
  }
  return signerFrom(file, 'Plumb, a throwaway key <nobody@plumb.invalid>', THROWAWAY_MADE);
}
