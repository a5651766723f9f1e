import { expect, test } from 'vitest';
import { type LastEnd, NO_SUSPICION, parseSuspicion, suspected } from './suspects.ts';

const after = (...ends: LastEnd[]) => ends.reduce((before, end) => suspected(before, end, '1'), NO_SUSPICION);
const guilty = (...keys: string[]) => keys.map((key) => ({ key, version: '1' }));

test('what was under work is suspected, and who ends the process alone after that is guilty', () => {
  expect(after({ isFatal: true, keys: ['a', 'b'] })).toEqual({ keys: ['a', 'b'], guilty: [] });
  expect(after({ isFatal: true })).toEqual({ keys: 'all', guilty: [] });
  expect(after({ isFatal: true, keys: ['a', 'b'] }, { isFatal: true, alone: 'b', keys: ['b', 'c'] })).toEqual({
    guilty: guilty('b'),
  });
  expect(after({ isFatal: true }, { isFatal: true, alone: 'b' }, { isFatal: true, alone: 'a' })).toEqual({
    guilty: guilty('b', 'a'),
  });
});

test('an end in order, or with the machine, acquits whoever was suspected, not who is guilty', () => {
  expect(after({ isFatal: true, keys: ['a'] }, { isFatal: false })).toEqual({ guilty: [] });
  expect(after({ isFatal: true, alone: 'a' }, { isFatal: false })).toEqual({ guilty: guilty('a') });
});

test('too many are suspected like all', () => {
  expect(after({ isFatal: true, keys: Array.from({ length: 20_000 }, String) }).keys).toBe('all');
});

test('another version tries again', () => {
  const suspicion = after({ isFatal: true, alone: 'a' });
  expect(suspected(suspicion, { isFatal: false }, '1').guilty).toEqual(guilty('a'));
  expect(suspected(suspicion, { isFatal: false }, '2').guilty).toEqual([]);
});

test('what was written of it is read, whatever became of the file', () => {
  expect(parseSuspicion(JSON.stringify({ guilty: guilty('c') }))).toEqual({ guilty: guilty('c') });
  for (const text of ['', 'x', '7', 'null', '[]', '{"guilty":[null,{},{"key":1}]}'])
    expect(parseSuspicion(text)).toEqual({ guilty: [] });
});
