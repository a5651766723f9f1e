import { expect, test } from 'vitest';
import { parseServerArguments } from './server-arguments.ts';

test('defaults, and what is said instead', () => {
  expect(parseServerArguments([])).toEqual({ dataDir: '.plumb', listen: { host: '127.0.0.1', port: 7443 } });
  expect(parseServerArguments(['--data-dir', 'd', '--listen', '[::1]:0'])).toEqual({
    dataDir: 'd',
    listen: { host: '::1', port: 0 },
  });
  expect(parseServerArguments(['--listen', ':80'])?.listen).toEqual({ host: '0.0.0.0', port: 80 });
  expect(parseServerArguments(['-h'])).toBeUndefined();
});

test.each([
  [['--nope'], "Unknown option '--nope'"],
  [['home'], 'Unexpected argument'],
  [['--listen'], "Option '--listen <value>' argument missing"],
  [['--listen', '127.0.0.1'], '--listen must be ADDRESS:PORT, e.g. 127.0.0.1:7443, but is 127.0.0.1'],
  [['--listen', '127.0.0.1:99999'], '--listen must be ADDRESS:PORT'],
])('%j is refused', (argv, sentence) => {
  expect(() => parseServerArguments(argv)).toThrow(sentence);
  try {
    parseServerArguments(argv);
  } catch (error) {
    expect(error).toMatchObject({ reason: 'BadArgument', retry: 'terminal' });
  }
});
