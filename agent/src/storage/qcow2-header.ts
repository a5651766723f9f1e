/** Reads the header of a qcow2 file (QEMU docs/interop/qcow2), before any program is let near what strangers wrote. */
import type { PlumbError } from '@plumb/schemas';
import { terminal } from '@plumb/schemas';

/** Bytes at the file's beginning that {@link readQcow2Header} wants. */
export const QCOW2_HEADER_BYTES = 104;

const MAGIC = 0x514649fb;
const BACKING_FILE_OFFSET = 8;
const BACKING_FILE_LENGTH = 16;
const CLUSTER_BITS = 20;
const VIRTUAL_SIZE = 24;
const ENCRYPTION = 32;
const L1_SIZE = 36;
const INCOMPATIBLE_FEATURES = 72;
const HEADER_LENGTH = 100;
/** Type of the header extension that names the backing file's format. */
const BACKING_FORMAT = 0xe2792aca;
const CORRUPT = 1n << 1n;
const EXTERNAL_DATA_FILE = 1n << 2n;
/** Dirty, corrupt, external data file, compression type, extended L2 entries. */
const KNOWN_FEATURES = 0x1fn;
/** QEMU's own bounds (block/qcow2.h): clusters of 512 bytes to 2 MiB, an L1 table of at most 32 MiB. */
const CLUSTER_BITS_RANGE = [9, 21] as const;
const MAX_L1_ENTRIES = (32 * 1024 * 1024) / 8;

/**
 * The virtual size in bytes. Throws `ImageInvalid` (terminal) for what is not qcow2, is damaged or encrypted, or names
 * another file: a backing or data file would be a file of the host of the image's choice. `invalid` makes the error.
 */
export function readQcow2Header(header: Buffer, invalid: (why: string) => PlumbError = unusable): number {
  if (header.length < 72 || header.readUInt32BE(0) !== MAGIC) throw invalid('it is not a qcow2 file');
  const version = header.readUInt32BE(4);
  if (version !== 2 && version !== 3) throw invalid(`it is of version ${version} of qcow2, and only 2 and 3 are known`);
  if (header.readBigUInt64BE(BACKING_FILE_OFFSET) !== 0n) throw invalid('it has a backing file');
  if (header.readUInt32BE(ENCRYPTION) !== 0) throw invalid('it is encrypted');
  const clusterBits = header.readUInt32BE(CLUSTER_BITS);
  const [least, most] = CLUSTER_BITS_RANGE;
  if (clusterBits < least || clusterBits > most) throw invalid(`its clusters have 2^${clusterBits} bytes`);
  if (header.readUInt32BE(L1_SIZE) > MAX_L1_ENTRIES) throw invalid('its first table is larger than QEMU allows');
  if (version === 3) {
    if (header.length < QCOW2_HEADER_BYTES) throw invalid('it ends within its header');
    const features = header.readBigUInt64BE(INCOMPATIBLE_FEATURES);
    if (features & EXTERNAL_DATA_FILE) throw invalid('it keeps its data in another file');
    if (features & CORRUPT) throw invalid('it is marked as damaged');
    if (features & ~KNOWN_FEATURES) throw invalid('it needs a feature that is not known here');
  }
  return Number(header.readBigUInt64BE(VIRTUAL_SIZE));
}

/** What an overlay of our own making says of itself. */
export interface OverlayHeader {
  virtualBytes: number;
  /** Path of the file that it is a clone of. */
  backingFile: string;
  backingFormat: 'qcow2' | 'raw';
}

/** Most that the backing file's path may take (QEMU docs/interop/qcow2), with the header in front of it. */
export const OVERLAY_HEADER_BYTES = 4096;

/** Reads an overlay's header; undefined for what is none. */
export function readOverlayHeader(header: Buffer): OverlayHeader | undefined {
  if (header.length < QCOW2_HEADER_BYTES || header.readUInt32BE(0) !== MAGIC) return undefined;
  const offset = Number(header.readBigUInt64BE(BACKING_FILE_OFFSET));
  const length = header.readUInt32BE(BACKING_FILE_LENGTH);
  if (offset === 0 || offset + length > header.length) return undefined;
  return {
    virtualBytes: Number(header.readBigUInt64BE(VIRTUAL_SIZE)),
    backingFile: header.toString('utf8', offset, offset + length),
    backingFormat: extension(header, BACKING_FORMAT) === 'qcow2' ? 'qcow2' : 'raw',
  };
}

/** Text of a header extension: type and length in a word each, then the data, padded to eight bytes. */
function extension(header: Buffer, type: number): string | undefined {
  let at = header.readUInt32BE(HEADER_LENGTH);
  while (at + 8 <= header.length) {
    const found = header.readUInt32BE(at);
    const length = header.readUInt32BE(at + 4);
    if (found === 0 || at + 8 + length > header.length) return undefined;
    if (found === type) return header.toString('utf8', at + 8, at + 8 + length);
    at += 8 + Math.ceil(length / 8) * 8;
  }
  return undefined;
}

function unusable(why: string) {
  return terminal('ImageInvalid', `The image cannot be used: ${why}`);
}
