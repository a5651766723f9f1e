import { describe, expect, test } from 'vitest';
import { cpio, FILE, FOLDER } from './cpio.ts';

const entries = [
  { path: 'etc', mode: FOLDER },
  { path: 'etc/odd', mode: FILE, content: Buffer.from('12345') },
];

describe('cpio archives', () => {
  test('every header begins on a multiple of four bytes', () => {
    const archive = cpio(entries);
    const starts = [...archive.toString('latin1').matchAll(/070701/g)].map((match) => match.index);
    expect(starts).toHaveLength(3);
    expect(starts.filter((start) => start % 4 !== 0)).toEqual([]);
  });

  test('an entry says its type, its size and the length of its name', () => {
    const archive = cpio(entries);
    const second = archive.subarray(archive.indexOf('070701', 1));
    const field = (index: number) => Number.parseInt(second.toString('latin1', 6 + index * 8, 14 + index * 8), 16);
    expect([field(1), field(6), field(11)]).toEqual([FILE, 5, 'etc/odd'.length + 1]);
    expect(second.toString('latin1', 110, 118)).toBe('etc/odd\0');
    expect(second.toString('latin1', 120, 125)).toBe('12345');
  });
});
