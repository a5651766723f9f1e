/** A thread that feeds targets one after the other. The one that started it sees at which input it is, and ends it if it hangs. */
import { parentPort, workerData } from 'node:worker_threads';
import { feed } from './run.ts';
import type { FuzzTarget } from './target.ts';

export interface Order {
  /** URL of the module that exports `targets`. */
  module: string;
  names: string[];
  seed: string;
  /** For each target, in milliseconds. */
  forMs: number;
  atLeast?: number | undefined;
  from: number;
  /** Two 32-bit numbers: index of the target, number of the input. */
  place: SharedArrayBuffer;
}

const { module, names, seed, forMs, atLeast, from, place } = workerData as Order;
const at = new Int32Array(place);
const { targets } = (await import(module)) as { targets: readonly FuzzTarget[] };
for (const [index, name] of names.entries()) {
  const target = targets.find((one) => one.name === name)!;
  Atomics.store(at, 0, index);
  await target.open?.();
  const tally = await feed(target, {
    seed,
    forMs,
    atLeast,
    from,
    onInput: (number) => Atomics.store(at, 1, number),
    onFinding: (finding) => parentPort!.postMessage({ finding }),
  });
  await target.close?.();
  parentPort!.postMessage({ tally });
}
