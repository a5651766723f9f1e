import { isPrintable } from '@plumb/schemas/meta/printable.ts';
import { expect, it } from 'vitest';
import { isBlocked, troublesFrom } from './troubles.ts';

const limits = { hostTroubles: 3, hostMessageCharacters: 64 };
const trouble = (reason: string, message = 'it is broken') => ({ reason, message, blocking: false });

it('keeps what a condition can hold, and no more of it than is allowed', () => {
  const many = Array.from({ length: 10_000 }, (_, n) => trouble(`Trouble${n}`));
  expect(troublesFrom(many, limits).map(({ reason }) => reason)).toEqual(['Trouble0', 'Trouble1', 'Trouble2']);
  const odd = ['', 'lower', 'With Space', 'Line\nBreak', 'A'.repeat(65), '__proto__'].map((reason) => trouble(reason));
  for (const one of odd) expect(troublesFrom([one], limits)).toEqual([]);
});

it('shows the sentence in one line, cut to its length, with no character that moves a cursor', () => {
  const said = troublesFrom([trouble('Bad', 'a\r\n\u001b[2Jb\u202ec'), trouble('Long', 'x'.repeat(1e6))], limits);
  expect(said.every(({ message }) => isPrintable(message) && message.length <= 65)).toBe(true);
});

it('tells a host that can make no guests from one that is only impaired', () => {
  expect(isBlocked({ troubles: [] })).toBe(false);
  expect(isBlocked({ troubles: [trouble('Full')] })).toBe(false);
  expect(isBlocked({ troubles: [trouble('Full'), { ...trouble('Away'), blocking: true }] })).toBe(true);
});
