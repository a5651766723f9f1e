/**
 * What Terraform's registry asks for: a public key and a detached signature in OpenPGP (RFC 4880), with an RSA key, which the
 * registry takes. The same key, text and time make the same bytes. Pure.
 */
import { createHash, createPublicKey, type KeyObject, sign } from 'node:crypto';

export interface Signer {
  /** An RSA key. */
  key: KeyObject;
  /** `Name <address>`. */
  user: string;
  /** When the key was made, in seconds since the epoch: part of its fingerprint. */
  made: number;
}

const [SIGNATURE, PUBLIC_KEY, USER_ID] = [2, 6, 13];
const [OF_A_FILE, OF_A_USER] = [0x00, 0x13];
const [RSA, SHA512] = [1, 10];
/** Kinds of what a signature says besides. */
const [CREATED, KEY_FLAGS, ISSUER, ISSUER_FINGERPRINT] = [2, 27, 16, 33];
const MAY_CERTIFY_AND_SIGN = 0x03;

/** The public key with its owner's name, in the form that `gpg --import` takes. */
export function publicKey(signer: Signer): Buffer {
  const body = keyBody(signer);
  const user = Buffer.from(signer.user);
  const hashed = Buffer.concat([
    Buffer.from([0x99, body.length >> 8, body.length & 0xff]),
    body,
    Buffer.from([0xb4]),
    number(user.length, 4),
    user,
  ]);
  const flags = subpacket(KEY_FLAGS, Buffer.from([MAY_CERTIFY_AND_SIGN]));
  const own = signature(signer, OF_A_USER, hashed, signer.made, [flags]);
  return Buffer.concat([packet(PUBLIC_KEY, body), packet(USER_ID, user), own]);
}

/** A detached signature of a file's content, as of `at` in seconds since the epoch. */
export function detachedSignature(signer: Signer, content: Buffer, at: number): Buffer {
  return signature(signer, OF_A_FILE, content, at, []);
}

/** Twenty bytes, in hexadecimal digits. */
export function fingerprint(signer: Signer): string {
  return fingerprintOf(signer).toString('hex').toUpperCase();
}

/** In ASCII, between lines that say what it is. */
export function armoured(bytes: Buffer, what: 'PUBLIC KEY BLOCK' | 'SIGNATURE'): string {
  const lines = bytes.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN PGP ${what}-----\n\n${lines.join('\n')}\n=${crc24(bytes).toString('base64')}\n-----END PGP ${what}-----\n`;
}

function signature(signer: Signer, type: number, content: Buffer, at: number, more: Buffer[]): Buffer {
  const print = fingerprintOf(signer);
  const said = Buffer.concat([
    subpacket(CREATED, number(at, 4)),
    subpacket(ISSUER_FINGERPRINT, Buffer.concat([Buffer.from([4]), print])),
    ...more,
  ]);
  const head = Buffer.concat([Buffer.from([4, type, RSA, SHA512]), number(said.length, 2), said]);
  const signed = Buffer.concat([content, head, Buffer.from([4, 0xff]), number(head.length, 4)]);
  const unsaid = subpacket(ISSUER, print.subarray(-8));
  const digest = createHash('sha512').update(signed).digest();
  const value = sign('sha512', signed, signer.key);
  return packet(
    SIGNATURE,
    Buffer.concat([head, number(unsaid.length, 2), unsaid, digest.subarray(0, 2), integer(value)]),
  );
}

function fingerprintOf(signer: Signer): Buffer {
  const body = keyBody(signer);
  return createHash('sha1')
    .update(Buffer.from([0x99]))
    .update(number(body.length, 2))
    .update(body)
    .digest();
}

function keyBody({ key, made }: Signer): Buffer {
  const { n, e, kty } = createPublicKey(key as never).export({ format: 'jwk' });
  if (kty !== 'RSA' || !n || !e)
    throw new Error('the key that signs a release must be an RSA key: the registry takes no other');
  const of = (text: string) => integer(Buffer.from(text, 'base64url'));
  return Buffer.concat([Buffer.from([4]), number(made, 4), Buffer.from([RSA]), of(n), of(e)]);
}

function packet(tag: number, body: Buffer): Buffer {
  // Of the new format, with a length of five bytes.
  return Buffer.concat([Buffer.from([0xc0 | tag, 0xff]), number(body.length, 4), body]);
}

function subpacket(kind: number, body: Buffer): Buffer {
  return Buffer.concat([Buffer.from([body.length + 1, kind]), body]);
}

/** A number of any size: its bits, and its bytes without zeros before them. */
function integer(bytes: Buffer): Buffer {
  let first = 0;
  while (first < bytes.length - 1 && bytes[first] === 0) first++;
  const value = bytes.subarray(first);
  const bits = (value.length - 1) * 8 + (32 - Math.clz32(value[0]!));
  return Buffer.concat([number(bits, 2), value]);
}

function number(value: number, bytes: number): Buffer {
  const of = Buffer.alloc(bytes);
  of.writeUIntBE(value, 0, bytes);
  return of;
}

/** The checksum of the ASCII form (RFC 4880 section 6.1). */
function crc24(bytes: Buffer): Buffer {
  let crc = 0xb704ce;
  for (const byte of bytes) {
    crc ^= byte << 16;
    for (let bit = 0; bit < 8; bit++) {
      crc <<= 1;
      if (crc & 0x1000000) crc ^= 0x1864cfb;
    }
  }
  return number(crc & 0xffffff, 3);
}
