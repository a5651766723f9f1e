import { expect, test } from 'vitest';
import { parsePeerCommand } from './command-line.ts';

test('three rounds of 500 and 10,000 beside all, unless something else is said', () => {
  expect(parsePeerCommand([])).toEqual({
    ...{ peers: ['kubernetes', 'ganeti'], sizes: [500, 10_000], ganetiSizes: [100], rounds: 3, hosts: 1000 },
    encoding: 'protobuf',
  });
  const said = ['--peers', 'ganeti', '--ganeti-sizes', '20,40', '--rounds', '1', '--hosts', '7', '--encoding', 'json'];
  expect(parsePeerCommand([...said, '--sizes', '5'])).toEqual({
    ...{ peers: ['ganeti'], sizes: [5], ganetiSizes: [20, 40], rounds: 1, hosts: 7, encoding: 'json' },
  });
  expect(parsePeerCommand(['--help'])).toBeUndefined();
});

test.each([
  [['--peers', 'nobody'], 'nobody: no such peer; there are kubernetes and ganeti'],
  [['--sizes', '500,0'], '--sizes: whole numbers of at least 1, not 0'],
  [['--encoding', 'xml'], '--encoding is protobuf or json, not xml'],
  [['--round', '3'], "Unknown option '--round'"],
])('%j is refused', (argv, why) => {
  expect(() => parsePeerCommand(argv)).toThrow(why);
});
