import { createHash, createVerify, generateKeyPairSync } from 'node:crypto';
import { inflateRawSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { armoured, detachedSignature, fingerprint, publicKey, type Signer } from './openpgp.ts';
import { zip } from './zip.ts';

const { privateKey, publicKey: shown } = generateKeyPairSync('rsa', { modulusLength: 2048 });
const signer: Signer = { key: privateKey, user: 'Somebody <somebody@plumb.invalid>', made: 1_700_000_000 };

test('a zip is the same for the same files in any order, and keeps who may run them', () => {
  const a = { name: 'a', content: Buffer.from('first'), mode: 0o644 };
  const b = { name: 'b', content: Buffer.alloc(100_000, 'second'), mode: 0o755 };
  const made = zip([b, a]);
  expect(made).toEqual(zip([a, b]));
  expect(made.readUInt32LE(0)).toBe(0x04034b50);
  const [nameLength, packedLength] = [made.readUInt16LE(26), made.readUInt32LE(18)];
  expect(inflateRawSync(made.subarray(30 + nameLength, 30 + nameLength + packedLength)).toString()).toBe('first');
  const directory = made.readUInt32LE(made.length - 6);
  expect(made.readUInt32LE(directory)).toBe(0x02014b50);
  expect(made.readUInt32LE(directory + 38) >>> 16).toBe(0o100644);
});

test('a signature is the same for the same key, text and time, and holds for no other text', () => {
  const text = Buffer.from('0123  file\n');
  const made = detachedSignature(signer, text, 1_800_000_000);
  expect(made).toEqual(detachedSignature(signer, text, 1_800_000_000));
  expect(made).not.toEqual(detachedSignature(signer, text, 1_800_000_001));
  // RFC 4880 section 5.2.4: the text, then the hashed part of the packet, then its length.
  const body = made.subarray(6);
  const hashed = body.subarray(0, 6 + body.readUInt16BE(4));
  const trailer = Buffer.from([4, 0xff, 0, 0, 0, hashed.length]);
  const value = body.subarray(-256);
  const holds = (of: Buffer) => createVerify('sha512').update(of).update(hashed).update(trailer).verify(shown, value);
  expect(holds(text)).toBe(true);
  expect(holds(Buffer.from('0123  other\n'))).toBe(false);
  expect(body.subarray(-256 - 2 - 2, -256 - 2)).toEqual(
    createHash('sha512').update(text).update(hashed).update(trailer).digest().subarray(0, 2),
  );
});

test('a public key names its owner; a key that the registry does not take is refused', () => {
  expect(publicKey(signer).includes(Buffer.from(signer.user))).toBe(true);
  expect(fingerprint(signer)).toMatch(/^[0-9A-F]{40}$/);
  expect(armoured(publicKey(signer), 'PUBLIC KEY BLOCK')).toMatch(/^-----BEGIN PGP PUBLIC KEY BLOCK-----\n\n/);
  const { privateKey: key } = generateKeyPairSync('ed25519');
  expect(() => publicKey({ ...signer, key })).toThrow('must be an RSA key');
});
