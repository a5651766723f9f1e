import { expect, test } from 'vitest';
import type { Case } from './case.ts';
import { lifting } from './testing.ts';
import { formatTurns, order, pairedRatio, takeTurns } from './turns.ts';

test('the interval of a ratio holds the ratio, and narrows with pairs that agree', () => {
  const { ratio, low, high } = pairedRatio([10, 20, 40], [11, 22, 44]);
  expect(ratio).toBeCloseTo(1.1);
  expect(low).toBeCloseTo(1.1);
  expect(high).toBeCloseTo(1.1);
  const noisy = pairedRatio([10, 10, 10, 10], [11, 9, 12, 10]);
  expect(noisy.low).toBeLessThan(1);
  expect(noisy.high).toBeGreaterThan(1);
  // Two pairs: the t of one degree of freedom, worked out by hand.
  const two = pairedRatio([1, 1], [Math.E, 1]);
  expect(two.ratio).toBeCloseTo(Math.exp(0.5));
  expect(Math.log(two.high)).toBeCloseTo(0.5 + 12.706 * 0.5);
});

test('sides take turns at beginning, each warmed up once, from its own sources; both are closed', async () => {
  const said: string[] = [];
  const one: Case = {
    ...lifting,
    open: async (_size, { tree, folder }) => ({
      run: async (repetition) => {
        said.push(`${tree} ${folder} ${repetition}`);
        return { figures: { up: tree === 'old' ? 2 : 3, sweat: 10 } };
      },
      close: async () => void said.push(`${tree} closed`),
    }),
  };
  const ground = { folder: 'f', now: 0, say: () => {}, profiled: false };
  const turns = await takeTurns(one, 1, { pairs: 2, trees: { a: 'old', b: 'new' }, ground });
  expect(said).toEqual([
    'old f/a 0',
    'new f/b 0',
    'old f/a 1',
    'new f/b 1',
    'new f/b 2',
    'old f/a 2',
    'new closed',
    'old closed',
  ]);
  const lines = formatTurns(lifting.figures, turns).split('\n');
  expect(lines[0]).toMatch(/^all up: 2.* → 3.*, × 1\.500 \(1\.500 to 1\.500\), more; wall time, shown only$/);
  expect(lines[1]).toMatch(/× 1\.000 .*no difference shown$/);
  expect(order(0)).toEqual(['a', 'b']);
});
