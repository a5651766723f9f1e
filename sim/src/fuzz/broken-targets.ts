/** Targets that are wrong in every way that the fuzzer is to see. For its test. */
import { terminal } from '@plumb/schemas';
import { type FuzzTarget, Wrong } from './target.ts';

const target = (name: string, run: (input: number) => unknown): FuzzTarget<number> => ({
  name,
  make: (dice) => dice.between(0, 9),
  run,
});

// biome-ignore lint/suspicious/noExplicitAny: each target makes the inputs that it takes
export const targets: readonly FuzzTarget<any>[] = [
  target('fine', (n) => {
    if (n > 5) throw terminal('BadRequest', 'is too large');
    return n;
  }),
  target('throws', (n) => {
    if (n === 5) throw new TypeError('five');
  }),
  target('rejects', async (n) => {
    if (n === 5) throw new TypeError('five');
  }),
  target('answers', (n) => (n === 5 ? new Wrong('said five') : n)),
  target('pollutes', (n) => {
    if (n === 5) Reflect.set(Object.prototype, 'five', 5);
  }),
  target('slow', (n) => {
    const before = process.threadCpuUsage();
    const spent = () => process.threadCpuUsage(before).user + process.threadCpuUsage(before).system;
    while (n === 5 && spent() < 110_000);
  }),
  target('hangs', (n) => {
    while (n === 5);
  }),
  target('hungry', (n) => {
    const eaten: number[][] = [];
    while (n === 5) eaten.push(new Array(1_000_000).fill(1.5));
  }),
  target('last', (n) => n),
];
