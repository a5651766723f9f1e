/**
 * Writes an archive that is the same whenever the files are: in the order of their names, all of one time. Pure.
 * https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
 */
import { crc32, deflateRawSync } from 'node:zlib';

export interface ZipFile {
  name: string;
  content: Buffer;
  /** Permissions: 0o755 for a program. */
  mode: number;
}

/** The first day that the format knows, 1980-01-01. */
const [NO_TIME, FIRST_DAY] = [0, (1 << 5) | 1];
const DEFLATE = 8;
/** Version 2.0 of the format, by a Unix: readers take the permissions from it. */
const [NEEDED, MADE_BY_UNIX] = [20, (3 << 8) | 20];
const REGULAR_FILE = 0o100000;

export function zip(files: readonly ZipFile[]): Buffer {
  const parts: Buffer[] = [];
  const directory: Buffer[] = [];
  let offset = 0;
  for (const { name, content, mode } of [...files].sort((a, b) => (a.name < b.name ? -1 : 1))) {
    const packed = deflateRawSync(content, { level: 6 });
    const named = Buffer.from(name);
    const common = Buffer.alloc(26);
    common.writeUInt16LE(NEEDED, 0);
    common.writeUInt16LE(DEFLATE, 4);
    common.writeUInt16LE(NO_TIME, 6);
    common.writeUInt16LE(FIRST_DAY, 8);
    common.writeUInt32LE(crc32(content), 10);
    common.writeUInt32LE(packed.length, 14);
    common.writeUInt32LE(content.length, 18);
    common.writeUInt16LE(named.length, 22);
    const entry = Buffer.alloc(20);
    entry.write('PK\x01\x02', 'latin1');
    entry.writeUInt16LE(MADE_BY_UNIX, 4);
    const more = Buffer.alloc(14);
    more.writeUInt32LE(((REGULAR_FILE | mode) << 16) >>> 0, 6);
    more.writeUInt32LE(offset, 10);
    directory.push(entry.subarray(0, 6), common, more, named);
    parts.push(Buffer.from('PK\x03\x04', 'latin1'), common, named, packed);
    offset += 4 + common.length + named.length + packed.length;
  }
  const index = Buffer.concat(directory);
  const end = Buffer.alloc(22);
  end.write('PK\x05\x06', 'latin1');
  end.writeUInt16LE(files.length, 8);
  end.writeUInt16LE(files.length, 10);
  end.writeUInt32LE(index.length, 12);
  end.writeUInt32LE(offset, 16);
  return Buffer.concat([...parts, index, end]);
}
