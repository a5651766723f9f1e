/** Writes cpio archives in the "newc" format (Linux Documentation/driver-api/early-userspace/buffer-format.rst). */

export interface ArchiveEntry {
  /** Without a leading slash; folders come before what is in them. */
  path: string;
  /** Type and permission bits as in `st_mode`, e.g. 0o100755. */
  mode: number;
  content?: Buffer;
  /** Major and minor number of a device file. */
  device?: readonly [number, number];
}

export const FOLDER = 0o040755;
export const PROGRAM = 0o100755;
export const FILE = 0o100644;
export const CHARACTER_DEVICE = 0o020600;

/** The archive; equal entries give equal bytes: owner, times and inode numbers do not depend on the machine. */
export function cpio(entries: readonly ArchiveEntry[]): Buffer {
  const parts: Buffer[] = [];
  const all = [...entries, { path: 'TRAILER!!!', mode: 0 }];
  all.forEach((entry: ArchiveEntry, index) => {
    const content = entry.content ?? Buffer.alloc(0);
    const [major, minor] = entry.device ?? [0, 0];
    const name = Buffer.from(`${entry.path}\0`);
    const fields = [index + 1, entry.mode, 0, 0, 1, 0, content.length, 0, 0, major, minor, name.length, 0];
    const header = `070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`;
    parts.push(padded(Buffer.concat([Buffer.from(header), name])), padded(content));
  });
  return Buffer.concat(parts);
}

/** Names with their header, and contents, end on a multiple of four bytes. */
function padded(part: Buffer): Buffer {
  return Buffer.concat([part, Buffer.alloc((4 - (part.length % 4)) % 4)]);
}
