/**
 * The text of a manifest from its bytes: UTF-8, or UTF-16 with a byte order mark, as PowerShell's `>` writes it. Anything else is
 * refused: bytes that are replaced silently would be stored.
 */
import { badManifest } from './documents.ts';

const MARKS: readonly [mark: readonly number[], encoding: string][] = [
  // Begins like the mark of UTF-16, so it is looked at first.
  [[0xff, 0xfe, 0x00, 0x00], 'utf-32le'],
  [[0x00, 0x00, 0xfe, 0xff], 'utf-32be'],
  [[0xef, 0xbb, 0xbf], 'utf-8'],
  [[0xff, 0xfe], 'utf-16le'],
  [[0xfe, 0xff], 'utf-16be'],
];

/** Throws PlumbError `BadManifest` (terminal) with file and, where it can be told, line. */
export function decodeText(bytes: Uint8Array, file: string): string {
  const [, encoding] = MARKS.find(([mark]) => mark.every((byte, i) => bytes[i] === byte)) ?? [];
  if (encoding?.startsWith('utf-32')) throw refused(file, 'is UTF-32, which is not read: save it as UTF-8');
  try {
    return new TextDecoder(encoding ?? 'utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw encoding === undefined || encoding === 'utf-8'
      ? refused(placeOfMistake(bytes, file), 'is not UTF-8 text: save it as UTF-8')
      : refused(file, `is not ${encoding.toUpperCase()} text, though its byte order mark says so: save it as UTF-8`);
  }
}

function refused(field: string, message: string) {
  return badManifest([{ field, message }]);
}

/** `file:line` of the first bytes that are no UTF-8. */
function placeOfMistake(bytes: Uint8Array, file: string): string {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let from = 0; from < bytes.length; line++) {
    const end = bytes.indexOf(0x0a, from);
    const to = end < 0 ? bytes.length : end + 1;
    try {
      decoder.decode(bytes.subarray(from, to));
    } catch {
      return `${file}:${line}`;
    }
    from = to;
  }
  return file;
}
