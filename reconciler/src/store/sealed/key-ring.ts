/**
 * The keys by which records are encrypted at rest: AES-256-GCM, a nonce of its own for each record (96 random bits, NIST SP 800-38D
 * section 8.2.2), and the key of the record as additional data, so that no record can stand in the place of another one. The first
 * key encrypts; all of them decrypt.
 */
import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto';
import { terminal } from '@plumb/schemas';

const CIPHER = 'aes-256-gcm';
const KEY_BYTES = 32;
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** What a sealed text begins with: the format, then which key. */
export const SEALED = 'sealed:1:';

/** More are a mistake: each was the first one once. */
const MOST_KEYS = 32;

interface Key {
  /** Says which it is, and nothing of what it is. */
  id: string;
  bytes: Buffer;
}

export class KeyRing {
  readonly #keys: ReadonlyMap<string, Key>;
  readonly #first: Key;
  readonly #random: (bytes: number) => Buffer;

  private constructor(keys: readonly Key[], random: (bytes: number) => Buffer) {
    this.#keys = new Map(keys.map((key) => [key.id, key]));
    this.#first = keys[0]!;
    this.#random = random;
  }

  /**
   * The keys of a file: a line each, 32 bytes in base64; empty lines and what follows `#` are passed over. Throws PlumbError
   * `BadKeyFile` (terminal), which never says what stands there.
   */
  static parse(text: string, file: string, random: (bytes: number) => Buffer = randomBytes): KeyRing {
    const keys: Key[] = [];
    for (const [index, line] of text.split('\n').entries()) {
      const words = line.replace(/#.*/, '').trim();
      if (words === '') continue;
      const bytes = Buffer.from(words, 'base64');
      if (bytes.length !== KEY_BYTES || bytes.toString('base64') !== words)
        throw terminal('BadKeyFile', `line ${index + 1} of ${file} is no key: ${HOW}`);
      const id = createHash('sha256').update('plumb encryption key\0').update(bytes).digest('hex').slice(0, 16);
      if (keys.some((key) => key.id === id))
        throw terminal('BadKeyFile', `line ${index + 1} of ${file} holds a key that an earlier line holds`);
      keys.push({ id, bytes });
    }
    if (keys.length === 0) throw terminal('BadKeyFile', `${file} holds no key: ${HOW}`);
    if (keys.length > MOST_KEYS)
      throw terminal('BadKeyFile', `${file} holds ${keys.length} keys, and at most ${MOST_KEYS} are taken`);
    return new KeyRing(keys, random);
  }

  /** Text of a new key file. */
  static make(random: (bytes: number) => Buffer = randomBytes): string {
    return `# Keys that encrypt Secrets in the store, one a line; the first one encrypts. Who has lost them has lost the Secrets.\n${random(KEY_BYTES).toString('base64')}\n`;
  }

  /** The text, encrypted for the record at `key`. */
  seal(key: string, text: string): string {
    const nonce = this.#random(NONCE_BYTES);
    const cipher = createCipheriv(CIPHER, this.#first.bytes, nonce, { authTagLength: TAG_BYTES });
    cipher.setAAD(Buffer.from(key));
    const sealed = Buffer.concat([nonce, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()]);
    return `${SEALED}${this.#first.id}:${sealed.toString('base64')}`;
  }

  /**
   * The text of the record at `key`; undefined when it cannot be decrypted: its key is not there, or it was changed or moved. What
   * is not sealed is given back as it is.
   */
  open(key: string, sealed: string): string | undefined {
    if (!sealed.startsWith(SEALED)) return sealed;
    const of = this.#keys.get(keyIdOf(sealed));
    const bytes = Buffer.from(sealed.slice(sealed.lastIndexOf(':') + 1), 'base64');
    if (!of || bytes.length < NONCE_BYTES + TAG_BYTES) return undefined;
    const decipher = createDecipheriv(CIPHER, of.bytes, bytes.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES });
    decipher.setAAD(Buffer.from(key));
    decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
    try {
      return decipher.update(bytes.subarray(NONCE_BYTES, -TAG_BYTES), undefined, 'utf8') + decipher.final('utf8');
    } catch {
      return undefined;
    }
  }

  /** Which key seals; says nothing of what it is. */
  get currentId(): string {
    return this.#first.id;
  }

  /** Whether the text is sealed with the first key. */
  isCurrent(sealed: string): boolean {
    return sealed.startsWith(SEALED) && keyIdOf(sealed) === this.#first.id;
  }
}

const HOW = `32 random bytes in base64 are one, as of "head -c 32 /dev/urandom | base64"`;

/** Which key sealed it. */
export function keyIdOf(sealed: string): string {
  return sealed.slice(SEALED.length, sealed.indexOf(':', SEALED.length));
}
