/** What dnsmasq says in its log, read from where the last reading ended. */
import { constants } from 'node:fs';
import { openPlain, plainLength } from '../host/plain-file.ts';

const MAX_LOG_BYTES = 1024 * 1024;
/** More than dnsmasq says between two looks; what is over is passed over. */
const MAX_READ_BYTES = 256 * 1024;

/** The length of the log in bytes; 0 when there is none. */
export function logLength(path: string): Promise<number> {
  return plainLength(path);
}

/** What was said after the first `from` bytes, and where the next reading begins. A log that was cut is read anew. */
export async function readLog(path: string, from: number): Promise<{ text: string; end: number }> {
  const length = await logLength(path);
  const begin = Math.max(from > length ? 0 : from, length - MAX_READ_BYTES);
  if (length === begin) return { text: '', end: length };
  const file = await openPlain(path);
  if (file === undefined) return { text: '', end: 0 };
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(length - begin), 0, length - begin, begin);
    return { text: buffer.toString('utf8', 0, bytesRead), end: begin + bytesRead };
  } finally {
    await file.close();
  }
}

/** A guest may have it written to without end. */
export async function boundLog(path: string): Promise<void> {
  if ((await logLength(path)) <= MAX_LOG_BYTES) return;
  const file = await openPlain(path, constants.O_WRONLY);
  try {
    await file?.truncate(0);
  } finally {
    await file?.close();
  }
}
