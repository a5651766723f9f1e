/** The certificate that the server shows: for every name it is called by, issued again in time. */
import { X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { hostname, networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { readPrivate, writePrivate } from '@plumb/schemas/files/private-file.ts';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import { belongTogether } from './authority.ts';
import type { KeyPair } from './certificates.ts';
import type { Span } from './span.ts';

const DAY = 86_400_000;
const VALID_DAYS = 365;
const RENEW_BEFORE_DAYS = 60;

/** Names and addresses that clients may use for a server that listens on `host`, sorted. */
export function servingNames(host: string, more: readonly string[] = []): string[] {
  const names = new Set(['localhost', '127.0.0.1', '::1', AGENT_SERVER_NAME, hostname().toLowerCase(), ...more]);
  if (host === '0.0.0.0' || host === '::') {
    for (const address of Object.values(networkInterfaces()).flatMap((list) => list ?? [])) {
      // A link-local address means nothing without its interface, which a certificate cannot name.
      if (!address.address.startsWith('fe80:')) names.add(address.address);
    }
  } else {
    names.add(host);
  }
  return [...names].sort();
}

/**
 * Whether the certificate serves all `names`, has begun to be valid, is not near its end, and was signed by the authority.
 * One that was issued while the machine's clock ran ahead begins in the future: clients refuse it until then.
 */
export function stillGood(certificate: string, authority: string, names: readonly string[], now: number): boolean {
  const leaf = new X509Certificate(certificate);
  const issuer = new X509Certificate(authority);
  const { from, until } = servingGood(certificate);
  return (
    leaf.checkIssued(issuer) &&
    leaf.verify(issuer.publicKey) &&
    from <= now &&
    now < until &&
    names.every((name) => (isIP(name) ? leaf.checkIP(name) : leaf.checkHost(name)) !== undefined)
  );
}

/** When it is not to be replaced for its dates. */
export function servingGood(certificate: string): Span {
  const { validFromDate, validToDate } = new X509Certificate(certificate);
  return { from: validFromDate.getTime(), until: validToDate.getTime() - RENEW_BEFORE_DAYS * DAY };
}

/** The serving certificate of `folder`, issued anew when it is missing, not valid yet, near its end, or lacks a name. */
export async function openServing(
  folder: string,
  authority: KeyPair,
  names: readonly string[],
  now: number,
): Promise<KeyPair> {
  const certificateFile = join(folder, 'serving.crt');
  const keyFile = join(folder, 'serving.key');
  const [certificate, key] = await Promise.all([readPrivate(certificateFile), readPrivate(keyFile)]);
  // A start that was killed between the two files leaves a certificate beside the key of another.
  if (certificate !== undefined && key !== undefined && belongTogether(certificate, key)) {
    if (stillGood(certificate, authority.certificate, names, now)) return { certificate, key };
  }
  const { issueServing } = await import('./certificates.ts');
  const issued = await issueServing(authority, names, now, VALID_DAYS);
  await writePrivate(keyFile, issued.key);
  await writePrivate(certificateFile, issued.certificate);
  return issued;
}
