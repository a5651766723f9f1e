/**
 * Following a control plane whose authority was replaced. The server shows, beside its authority, how the earlier authority
 * vouched for it: a certificate with the key of the one after, signed by the one before. An agent that knows the earlier one by
 * its pin believes the present one then; over several replacements, one after the other.
 */
import type { X509Certificate } from 'node:crypto';
import { caPin } from '@plumb/schemas/wire/join-token.ts';

/** Certificates that are looked at: a server shows a few. */
const MOST = 16;

export interface Followed {
  /** PEM text of the authority that signed the server's certificate. */
  authority: string;
  /** Pins of authorities that vouched for it, the pin that was asked for among them; empty when it is that one itself. */
  instead: string[];
}

/** The authority of the server that showed `chain` (its own certificate first), if the pin leads to it; else undefined. */
export function followPin(chain: readonly X509Certificate[], pin: string): Followed | undefined {
  const [leaf, ...others] = chain.slice(0, MOST);
  const above = others.filter((certificate) => certificate.ca);
  const signer = leaf && above.find((certificate) => isSelfSigned(certificate) && signed(certificate, leaf));
  if (!signer) return undefined;
  /** Keys that are believed, since the one that is looked for leads to them. */
  const vouching = new Map<string, X509Certificate>();
  const look = (key: string, certificate: X509Certificate): boolean => {
    if (vouching.has(key)) return false;
    vouching.set(key, certificate);
    if (key === pin) return true;
    return above.some(
      (given) =>
        caPin(given.raw) === key &&
        above.some((giver) => isSelfSigned(giver) && signed(giver, given) && look(caPin(giver.raw), giver)),
    );
  };
  const own = caPin(signer.raw);
  if (!look(own, signer)) return undefined;
  return { authority: signer.toString(), instead: [...vouching.keys()].filter((key) => key !== own) };
}

function isSelfSigned(certificate: X509Certificate): boolean {
  return certificate.subject === certificate.issuer && signed(certificate, certificate);
}

function signed(by: X509Certificate, certificate: X509Certificate): boolean {
  return certificate.issuer === by.subject && certificate.verify(by.publicKey);
}
