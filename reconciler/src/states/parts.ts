/** The content of a version in the store: compressed where that is worth it, cut into parts that each fit a commit beside its head. */
import { promisify } from 'node:util';
import { zstdCompress, zstdDecompress } from 'node:zlib';
import { retryable } from '@plumb/schemas';
import { keys } from '../store/keys.ts';
import type { Op, Store } from '../store/store.ts';
import { sha256 } from './content.ts';
import type { Parts, StateVersion } from './head.ts';

/** A state is found by its project and name. */
export interface Place {
  namespace: string;
  name: string;
}

/**
 * Bytes of a part. In base64, encrypted, and in base64 once more it has 512,040 characters and its key's id: below 512 KiB, and two of
 * them below what a commit takes.
 */
export const PART_BYTES = 288_000;

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);

export type Packed = Pick<StateVersion, 'parts' | 'bytes' | 'stored' | 'sha256' | 'codec'> & { texts: string[] };

export async function pack(content: Buffer): Promise<Packed> {
  const small = await compress(content);
  const worthIt = small.length < 0.9 * content.length;
  const stored = worthIt ? small : content;
  const texts: string[] = [];
  for (let at = 0; at < stored.length; at += PART_BYTES)
    texts.push(stored.subarray(at, at + PART_BYTES).toString('base64'));
  return {
    ...{ texts, parts: texts.length, bytes: content.length, stored: stored.length, sha256: sha256(content) },
    codec: worthIt ? 'zstd' : 'none',
  };
}

/** The content of the version; undefined when a part of it is missing or is not what was written. */
export async function unpack(
  store: Pick<Store, 'get'>,
  { namespace, name }: Place,
  version: StateVersion,
): Promise<Buffer | undefined> {
  const parts: Buffer[] = [];
  for (let part = 0; part < version.parts; part++) {
    const entry = await store.get(keys.statePart(namespace, name, version.id, part));
    if (!entry) return undefined;
    parts.push(Buffer.from(entry.value, 'base64'));
  }
  const stored = Buffer.concat(parts);
  if (stored.length !== version.stored) return undefined;
  try {
    const content =
      version.codec === 'zstd' ? await decompress(stored, { maxOutputLength: Math.max(1, version.bytes) }) : stored;
    return content.length === version.bytes && sha256(content) === version.sha256 ? content : undefined;
  } catch {
    return undefined;
  }
}

/** What removes the parts. */
export function* removals({ namespace, name }: Place, remains: readonly Parts[]): Generator<Op> {
  for (const { id, parts } of remains)
    for (let part = 0; part < parts; part++) yield { type: 'delete', key: keys.statePart(namespace, name, id, part) };
}

export function damaged({ namespace, name }: Place, what: string) {
  return retryable(
    'StateDamaged',
    `the state ${namespace}/${name} cannot be read: ${what}. Nothing of it is given out, so that Terraform does not take it for an empty one; plumb state show ${name} lists its versions, and plumb state rollback makes an earlier one the newest`,
  );
}
