import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isPrintable, printable } from './printable.ts';

test('what is printable stays as it is', () => {
  expect(printable('host-1 läuft: 你好 👍 "quoted" \\n', 100)).toBe('host-1 läuft: 你好 👍 "quoted" \\n');
});

test('line ends, escapes of terminals and marks of direction become visible', () => {
  expect(printable('a\n2026-11-30 info forged\r\x1b]0;title\x07\x9b31m\u2028\u202e\ud800z', 100)).toBe(
    'a\\n2026-11-30 info forged\\r\\u001b]0;title\\u0007\\u009b31m\\u2028\\u202e\\ud800z',
  );
});

test('whatever is said is one line of bounded length, and again the same', () => {
  const anything = fc.string({ unit: 'binary', maxLength: 60 });
  fc.assert(
    fc.property(anything, fc.integer({ min: 1, max: 50 }), (text, most) => {
      const shown = printable(text, most);
      expect(shown.length).toBeLessThanOrEqual(most + 1);
      expect(isPrintable(shown)).toBe(true);
      expect(shown).not.toMatch(/\p{Cc}/u);
      expect(printable(shown, 200)).toBe(shown);
    }),
  );
});

test('a character of two units is not cut in the middle', () => {
  expect(printable('ab👍👍', 3)).toBe('ab…');
  expect(printable('ab👍👍', 4)).toBe('ab👍…');
});
