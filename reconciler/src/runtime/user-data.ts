/**
 * User data that lies in Secrets. What is planned, recorded and compared has a keyed hash of the text and says where it is; the text is
 * joined when a host is commanded, and only then.
 */
import { createHmac } from 'node:crypto';
import { type HostResource, type PlumbObject, retryable } from '@plumb/schemas';
import { keys } from '../store/keys.ts';
import type { Reader } from './reader.ts';

/** As much as is taken as spec.userData. */
const MOST_BYTES = 65_536;

type Read = Pick<Reader, 'get'>;

export class UserData {
  readonly #key: Buffer;

  /** `key`: secret, and the same after each start; without it nobody can try which text a hash is of. */
  constructor(key: Buffer) {
    this.#key = key;
  }

  /** Another for every other text. */
  hash(text: string): string {
    return createHmac('sha256', this.#key).update('user data\0').update(text).digest('hex').slice(0, 32);
  }

  /** Puts the text into a seed that says where it is. Throws retryable `ReferenceNotFound`, or `UserDataChanged` when it is another by now. */
  join<R extends HostResource>(read: Read, resource: R): R {
    if (resource.kind !== 'seed' || resource.spec.userDataFrom === undefined) return resource;
    const { secret, key, hash } = resource.spec.userDataFrom;
    const slash = secret.indexOf('/');
    const [project, name] = [secret.slice(0, slash), secret.slice(slash + 1)];
    const text = textOf(read.get(keys.object('secrets', project, name))?.object, key, `Secret ${secret}`);
    if (this.hash(text) !== hash)
      throw retryable('UserDataChanged', `value ${key} of Secret ${secret} was changed meanwhile: it is planned again`);
    return { ...resource, spec: { ...resource.spec, userData: text } };
  }
}

/** The text of a value. `what`: what people call the Secret. Throws retryable `ReferenceNotFound` with a sentence. */
export function textOf(secret: PlumbObject | undefined, key: string, what: string): string {
  if (!secret) throw retryable('ReferenceNotFound', `there is no ${what}; it waits for one`);
  const { data = {} } = secret as unknown as { data?: Record<string, string> };
  const value = Object.hasOwn(data, key) ? data[key]! : undefined;
  const words = (why: string) => retryable('ReferenceNotFound', `${what} ${why}`);
  if (value === undefined) throw words(`has no value ${key}; it waits for one`);
  const bytes = Buffer.from(value, 'base64');
  if (bytes.length > MOST_BYTES)
    throw words(`has ${bytes.length} bytes in its value ${key}, and user data may have ${MOST_BYTES}`);
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw words(`has no text in UTF-8 in its value ${key}, and user data is text`);
  }
}
