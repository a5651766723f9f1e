import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ROOT } from '../setup.ts';
import { parseOptions } from './options.ts';

describe('what npm start was asked to do', () => {
  test('nothing said: it stays, in .plumb', () => {
    expect(parseOptions([])).toEqual({
      mode: 'stay',
      simulated: false,
      dataDir: join(ROOT, '.plumb'),
      ownFolder: false,
      port: 7443,
    });
  });

  test('--once has a folder of its own, unless one is given', () => {
    expect(parseOptions(['--once'])).toMatchObject({ mode: 'once', ownFolder: true });
    const given = parseOptions(['--once', '--data-dir', '/srv/plumb']);
    expect(given).toMatchObject({ mode: 'once', ownFolder: false, dataDir: '/srv/plumb' });
  });

  test.each([
    [['--port', '0'], '--port must be a number from 1 to 65535, not 0'],
    [['--port', 'x'], '--port must be a number from 1 to 65535, not x'],
    [['--once', '--destroy'], '--once and --destroy exclude each other'],
    [['--sometimes'], "Unknown option '--sometimes'"],
  ])('%j is refused', (argv, message) => {
    expect(() => parseOptions(argv)).toThrow(message);
  });

  test('--help asks for help', () => {
    expect(parseOptions(['--help'])).toBeUndefined();
  });
});
