/**
 * The join token: what an agent needs to trust the control plane and to be let in, in one line of a file.
 * `<secret>.<sha256 of the CA certificate's SubjectPublicKeyInfo, 64 hex digits>`
 *
 * The pin lets the agent know the control plane before it has any certificate of it: the CA that the server presents
 * must have this key. Pinning the key and not the certificate (as RFC 7469 does) survives a renewed CA certificate.
 */
import { createHash, X509Certificate } from 'node:crypto';
import { terminal } from '../meta/error.ts';

/** TLS server name by which agents ask for their endpoint on the port that the API shares. */
export const AGENT_SERVER_NAME = 'agents.plumb.internal';

export interface JoinToken {
  /** Proves that the bearer may join; goes to the server in JoinRequest. base64url, so it holds no dot. */
  secret: string;
  /** SHA-256 of the CA's public key: 64 lower case hex digits. */
  caPin: string;
}

const FORM = /^([A-Za-z0-9_-]{16,})\.([0-9a-f]{64})$/;

/** The text of the file, without a line end. */
export function formatJoinToken(token: JoinToken): string {
  return `${token.secret}.${token.caPin}`;
}

/** Reads the file's text; blanks around it do not count. Throws PlumbError `InvalidJoinToken` (terminal), which does not hold it. */
export function parseJoinToken(text: string): JoinToken {
  const [, secret, caPin] = FORM.exec(text.trim()) ?? [];
  if (secret === undefined || caPin === undefined) {
    throw terminal(
      'InvalidJoinToken',
      'the join token is not of the form <secret>.<64 hex digits>: take the line that plumb join-token create prints, or the file join-token of a server on this machine',
    );
  }
  return { secret, caPin };
}

/** The pin of a CA certificate, given as PEM text or DER bytes. */
export function caPin(certificate: string | Uint8Array): string {
  const spki = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(spki).digest('hex');
}
