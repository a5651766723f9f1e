/**
 * What an image file is, by its first bytes: whether it is what its Image declares, and how large its disk is. Everything
 * here is a stranger's; it is asked only of files whose sum is right, so that a message tells nothing of any other file.
 */
import type { HostResource, PlumbError } from '@plumb/schemas';
import { shownUrl, terminal } from '@plumb/schemas';
import { readQcow2Header } from './qcow2-header.ts';

/** Bytes at the file's beginning that {@link requireUsable} wants; fewer when the file has fewer. */
export const IMAGE_HEAD_BYTES = 4096;

type ImageSpec = HostResource<'image'>['spec'];

/** Formats that a person may take for a raw image or a qcow2 file: magic bytes, where they stand, and what to do. */
const CONVERT = 'convert it with qemu-img, or declare it as qcow2 where it is that';
const UNPACK = 'it is compressed: unpack it, and declare the sum of what is in it';
const FORMATS: readonly { name: string; at: number; magic: string; advice: string }[] = [
  { name: 'a qcow2 file', at: 0, magic: 'QFI\xfb', advice: 'declare it as qcow2' },
  { name: 'a VMDK file', at: 0, magic: 'KDMV', advice: CONVERT },
  { name: 'a VMDK file', at: 0, magic: 'COWD', advice: CONVERT },
  { name: 'a VMDK description', at: 0, magic: '# Disk DescriptorFile', advice: CONVERT },
  { name: 'a VDI file', at: 0x40, magic: '\x7f\x10\xda\xbe', advice: CONVERT },
  { name: 'a VHDX file', at: 0, magic: 'vhdxfile', advice: CONVERT },
  { name: 'a VHD file', at: 0, magic: 'conectix', advice: CONVERT },
  { name: 'a QED file', at: 0, magic: 'QED\0', advice: CONVERT },
  { name: 'a Parallels disk', at: 0, magic: 'WithoutFreeSpace', advice: CONVERT },
  { name: 'a Parallels disk', at: 0, magic: 'WithouFreSpacExt', advice: CONVERT },
  { name: 'a gzip file', at: 0, magic: '\x1f\x8b\x08', advice: UNPACK },
  { name: 'an xz file', at: 0, magic: '\xfd7zXZ\0', advice: UNPACK },
  { name: 'a zstd file', at: 0, magic: '\x28\xb5\x2f\xfd', advice: UNPACK },
  { name: 'a bzip2 file', at: 0, magic: 'BZh', advice: UNPACK },
  { name: 'an lz4 file', at: 0, magic: '\x04\x22\x4d\x18', advice: UNPACK },
  { name: 'a zip archive', at: 0, magic: 'PK\x03\x04', advice: UNPACK },
  { name: 'a 7-Zip archive', at: 0, magic: "7z\xbc\xaf'\x1c", advice: UNPACK },
  { name: 'a tar archive', at: 257, magic: 'ustar', advice: 'take the disk out of it, and declare its sum' },
];

/**
 * Throws `ImageInvalid` (terminal) unless the file is of the format that is declared and can stand alone, and
 * `ImageTooLarge` (terminal) when its disk is larger than allowed. Returns the disk's size in bytes.
 */
export function requireUsable(spec: ImageSpec, head: Buffer, fileBytes: number): number {
  if (fileBytes === 0) throw invalid(spec, 'it is empty');
  const bytes = spec.format === 'raw' ? requireRaw(spec, head, fileBytes) : requireQcow2(spec, head);
  if (bytes > spec.maxBytes) throw tooLarge(spec, `its virtual disk has ${bytes} bytes`);
  return bytes;
}

export function tooLarge(spec: ImageSpec, what: string): PlumbError {
  return terminal(
    'ImageTooLarge',
    `the image at ${shownUrl(spec.url)} is too large: ${what}, allowed are ${spec.maxBytes}`,
  );
}

/** The sum that was found is not told: it would be the key to a file that the declarer has no right to. */
export function otherChecksum({ url, sha256 }: ImageSpec): PlumbError {
  return terminal(
    'ChecksumMismatch',
    `the image at ${shownUrl(url)} has another sha256 than ${sha256}, which was declared: correct the sum or the URL`,
  );
}

export function invalid({ url }: ImageSpec, why: string): PlumbError {
  return terminal('ImageInvalid', `the image at ${shownUrl(url)} cannot be used: ${why}`);
}

function requireRaw(spec: ImageSpec, head: Buffer, fileBytes: number): number {
  const known = recognise(head);
  if (known) throw invalid(spec, `it is declared as raw, and it is ${known.name}: ${known.advice}`);
  return fileBytes;
}

function requireQcow2(spec: ImageSpec, head: Buffer): number {
  const known = recognise(head);
  if (known && !known.name.includes('qcow2'))
    throw invalid(spec, `it is declared as qcow2, and it is ${known.name}: ${known.advice}`);
  return readQcow2Header(head, (why) => invalid(spec, why));
}

function recognise(head: Buffer): { name: string; advice: string } | undefined {
  return FORMATS.find(({ at, magic }) => head.toString('latin1', at, at + magic.length) === magic);
}
