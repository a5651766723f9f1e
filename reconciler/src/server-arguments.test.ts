import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, onTestFinished, test } from 'vitest';
import { parseServerArguments } from './server-arguments.ts';

test('defaults, and what is said instead', () => {
  expect(parseServerArguments([])).toEqual({
    dataDir: '.plumb',
    listen: { host: '127.0.0.1', port: 7443 },
    limits: defaultServerLimits,
    trustedProxies: [],
    gitRules: { folders: [], sources: [] },
  });
  expect(parseServerArguments(['--data-dir', 'd', '--listen', '[::1]:0'])).toMatchObject({
    dataDir: 'd',
    listen: { host: '::1', port: 0 },
  });
  expect(parseServerArguments(['--listen', ':80'])?.listen).toEqual({ host: '0.0.0.0', port: 80 });
  expect(parseServerArguments(['-h'])).toBeUndefined();
});

test('limits come from their file, which is named when it is wrong', () => {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-limits-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'limits.json');
  const parsed = () => parseServerArguments(['--limits', file])?.limits;
  expect(parsed).toThrow(`${file} cannot be read`);
  writeFileSync(file, '{"server": {"joinBytes": 2048}}');
  expect(parsed()).toEqual({ ...defaultServerLimits, joinBytes: 2048 });
  writeFileSync(file, '{"server": {"joinBytes": 0}}');
  expect(parsed).toThrow('server.joinBytes must be a whole number');
});

test.each([
  [['--nope'], "Unknown option '--nope'"],
  [['home'], 'Unexpected argument'],
  [['--listen'], "Option '--listen <value>' argument missing"],
  [['--listen', '127.0.0.1'], '--listen must be ADDRESS:PORT, e.g. 127.0.0.1:7443, but is 127.0.0.1'],
  [['--git-source', '-x'], "Option '--git-source"],
  [['--git-source', '10.0.0.0/99'], '--git-source must be an address, a block such as 10.0.0.0/8, or a host name'],
  [['--listen', '127.0.0.1:99999'], '--listen must be ADDRESS:PORT'],
  [['--trusted-proxy', '192.0.2.0/33'], '--trusted-proxy must be an address or a range'],
  [['--trusted-proxy', 'proxy.example'], '--trusted-proxy must be an address or a range'],
])('%j is refused', (argv, sentence) => {
  expect(() => parseServerArguments(argv)).toThrow(sentence);
  try {
    parseServerArguments(argv);
  } catch (error) {
    expect(error).toMatchObject({ reason: 'BadArgument', retry: 'terminal' });
  }
});
