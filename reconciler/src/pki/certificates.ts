/** Making certificates. Loaded only when one has to be made: the library costs a fifth of a second of start. */
import 'reflect-metadata';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { encodeConstraints, permittedFor } from './name-constraints.ts';

const KEY = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const DAY = 86_400_000;
/** Clocks of clients may be behind. */
const BACKDATED = DAY;
/** Authorities below one of ours: the one that takes its place, for which it vouches. */
const PATH_LENGTH = 1;

/** A certificate and its key, both as PEM text. The key is PKCS #8. */
export interface KeyPair {
  certificate: string;
  key: string;
}

type Keys = x509.X509CertificateCreateSelfSignedParams['keys'];

x509.cryptoProvider.set(crypto);

/**
 * A new authority for a server that is called by `names`, valid for `days` from `now` (milliseconds since the epoch). It signs
 * servers of these names and of private addresses, the authority that follows it, and nothing else.
 */
export async function makeAuthority(now: number, days: number, names: readonly string[] = []): Promise<KeyPair> {
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
  // Two authorities of one control plane have different names, so that chains are unambiguous.
  const name = `CN=Plumb control plane ${crypto.randomUUID().slice(0, 8)}`;
  const certificate = await selfSigned(name, keys, now, days, names);
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

/** The same authority with the same key and name, valid anew: what trusts the old certificate goes on while that is valid. */
export async function renewAuthority(
  { certificate, key }: KeyPair,
  now: number,
  days: number,
  names: readonly string[],
): Promise<KeyPair> {
  const old = new x509.X509Certificate(certificate);
  const keys = { privateKey: await signingKey(key), publicKey: await old.publicKey.export(KEY, ['verify']) };
  return { certificate: pem(await selfSigned(old.subject, keys, now, days, names)), key };
}

async function selfSigned(name: string, keys: Keys, now: number, days: number, names: readonly string[]) {
  return x509.X509CertificateGenerator.createSelfSigned({
    name,
    keys,
    signingAlgorithm: SIGNATURE,
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(now + days * DAY),
    extensions: [
      new x509.BasicConstraintsExtension(true, PATH_LENGTH, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ...(names.length > 0
        ? [new x509.Extension('2.5.29.30', true, asArray(encodeConstraints(permittedFor(names))))]
        : []),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
}

/** A certificate by which `authority` vouches for its successor: PEM text. */
export async function endorse(authority: KeyPair, successor: string, now: number): Promise<string> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const next = new x509.X509Certificate(successor);
  const constraints = next.getExtension('2.5.29.30');
  const certificate = await x509.X509CertificateGenerator.create({
    subject: next.subject,
    issuer: issuer.subject,
    publicKey: next.publicKey,
    signingKey: await signingKey(authority.key),
    signingAlgorithm: SIGNATURE,
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(Math.min(next.notAfter.getTime(), issuer.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      ...(constraints ? [constraints] : []),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(next.publicKey),
    ],
  });
  return pem(certificate);
}

/** A certificate for a server that is known by `names` (DNS names and IP addresses), signed by the authority. */
export async function issueServing(
  authority: KeyPair,
  names: readonly string[],
  now: number,
  days: number,
): Promise<KeyPair> {
  const issuer = new x509.X509Certificate(authority.certificate);
  const keys = await crypto.subtle.generateKey(KEY, true, ['sign', 'verify']);
  const certificate = await x509.X509CertificateGenerator.create({
    subject: 'CN=plumb',
    issuer: issuer.subject,
    publicKey: keys.publicKey,
    signingKey: await signingKey(authority.key),
    signingAlgorithm: SIGNATURE,
    notBefore: new Date(now - BACKDATED),
    notAfter: new Date(Math.min(now + days * DAY, issuer.notAfter.getTime())),
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
      new x509.SubjectAlternativeNameExtension(
        names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value })),
      ),
      await x509.AuthorityKeyIdentifierExtension.create(issuer),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { certificate: pem(certificate), key: await privatePem(keys.privateKey) };
}

function signingKey(key: string): Promise<CryptoKey> {
  return crypto.subtle.importKey('pkcs8', x509.PemConverter.decodeFirst(key), KEY, true, ['sign']);
}

function asArray(bytes: Buffer): Uint8Array<ArrayBuffer> {
  return new Uint8Array(bytes);
}

function pem(certificate: x509.X509Certificate): string {
  return `${certificate.toString('pem')}\n`;
}

async function privatePem(key: CryptoKey): Promise<string> {
  const der = await crypto.subtle.exportKey('pkcs8', key);
  return `${x509.PemConverter.encode(der, 'PRIVATE KEY')}\n`;
}
