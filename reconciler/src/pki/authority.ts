/** The certificate authority of this control plane: made at the first start, kept in the data folder. */
import { X509Certificate } from 'node:crypto';
import { join } from 'node:path';
import { terminal } from '@plumb/schemas';
import type { KeyPair } from './certificates.ts';
import { readPrivate, writePrivate } from './private-file.ts';

const VALID_DAYS = 3650;

/**
 * Reads the authority from `folder`, or makes one where there is none. Throws PlumbError `AuthorityUnusable` (terminal)
 * when half of it is missing or it has expired: a new one would lock every agent and kubeconfig out without a word.
 */
export async function openAuthority(folder: string, now: number): Promise<KeyPair> {
  const certificateFile = join(folder, 'ca.crt');
  const keyFile = join(folder, 'ca.key');
  const [certificate, key] = await Promise.all([readPrivate(certificateFile), readPrivate(keyFile)]);
  if (certificate === undefined) {
    // A key alone is what a start leaves that was killed between the two files: nothing was signed with it yet.
    const { makeAuthority } = await import('./certificates.ts');
    const made = await makeAuthority(now, VALID_DAYS);
    await writePrivate(keyFile, made.key);
    await writePrivate(certificateFile, made.certificate);
    return made;
  }
  if (key === undefined) throw unusable(folder, 'ca.key is missing');
  if (new X509Certificate(certificate).validToDate.getTime() <= now) throw unusable(folder, 'ca.crt has expired');
  return { certificate, key };
}

function unusable(folder: string, why: string) {
  return terminal(
    'AuthorityUnusable',
    `the certificate authority in ${folder} cannot be used: ${why}. Restore the folder from a backup, or remove it to make a new authority; agents then need the new join-token and people the new kubeconfig`,
  );
}
