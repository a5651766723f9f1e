import { expect, test } from 'vitest';
import { mutated, mutationsOf } from './mutations.ts';

const SOURCE = `import { a } from './a === b.ts';
/** Says a === b. */
export function place(host: string, room: number): string | undefined {
  if (room < 1) return undefined; // none
  // a && b
  note('x === y', room > 2 && host !== '');
  await index.release(host);
  return room > 0 ? host : undefined;
}
type Never = string || number;`;

test('comparisons, connectives, calls and ways out are faults to be tried; texts, types and comments are none', () => {
  expect(mutationsOf(SOURCE).map(({ line, what }) => `${line} ${what}`)).toEqual([
    '4 does not leave',
    '4 < is >=',
    '6 is not done',
    '6 !== is ===',
    '6 > is <=',
    '6 && is ||',
    '7 is not done',
    '8 > is <=',
  ]);
});

test('one line is another, and all others stay', () => {
  const [, less] = mutationsOf(SOURCE);
  const lines = mutated(SOURCE, less!).split('\n');
  expect(lines[3]).toBe('  if (room >= 1) return undefined; // none');
  expect(lines.toSpliced(3, 1)).toEqual(SOURCE.split('\n').toSpliced(3, 1));
});
