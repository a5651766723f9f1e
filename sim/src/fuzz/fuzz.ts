/** All targets, on a thread of their own: an input that hangs or eats all memory is found, too. */
import { format } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { Finding, FuzzTarget, Tally } from './target.ts';
import type { Order } from './worker.ts';

export interface Fuzzing {
  /** URL of the module that exports `targets`. */
  module: string;
  targets: readonly FuzzTarget[];
  seed: string;
  /** Wall time of all targets together, in milliseconds. */
  forMs: number;
  /** Inputs that each target is given at least, on however busy a machine; one, if absent. */
  atLeast?: number;
  /** An input that takes longer hangs, in milliseconds; {@link HANGS_MS}, if absent. */
  hangsMs?: number;
  /** Memory of the thread; {@link MEMORY_MIB}, if absent. */
  memoryMiB?: number;
  onFinding?(finding: Finding): void;
  onTally?(tally: Tally): void;
}

export interface Fuzzed {
  findings: Finding[];
  tallies: Tally[];
}

const HANGS_MS = 10_000;
const MEMORY_MIB = 1024;
const LOOK_MS = 250;
/** A target that goes on failing says nothing new. */
const MOST_FINDINGS = 20;

/** Shares the time among the targets. Resolves when all had their turn. */
export async function fuzz(fuzzing: Fuzzing): Promise<Fuzzed> {
  const { module, targets, seed, forMs, atLeast, onFinding, onTally } = fuzzing;
  const findings: Finding[] = [];
  const tallies: Tally[] = [];
  const counts = new Map<string, number>();
  const find = (finding: Finding) => {
    const before = counts.get(finding.target) ?? 0;
    counts.set(finding.target, before + 1);
    if (before >= MOST_FINDINGS) return;
    findings.push(finding);
    onFinding?.(finding);
  };
  let names = targets.map(({ name }) => name);
  while (names.length > 0) {
    const place = new SharedArrayBuffer(8);
    const order: Order = { module, names, seed, forMs: forMs / targets.length, atLeast, from: 0, place };
    const ended = await turn(fuzzing, order, find, (tally) => {
      tallies.push(tally);
      onTally?.(tally);
    });
    if (ended === undefined) break;
    const [index = 0, number = 0] = new Int32Array(place);
    const target = names[index]!;
    find({ target, again: `${seed}/${target}/${number}`, what: ended, input: '(not shown: its thread has ended)' });
    names = names.slice(index + 1);
  }
  return { findings, tallies };
}

/** One thread, until it is done, or until it must be ended: then why. */
function turn(
  { hangsMs = HANGS_MS, memoryMiB = MEMORY_MIB }: Fuzzing,
  order: Order,
  onFinding: (finding: Finding) => void,
  onTally: (tally: Tally) => void,
): Promise<string | undefined> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: order,
    resourceLimits: { maxOldGenerationSizeMb: memoryMiB },
  });
  const at = new Int32Array(order.place);
  return new Promise((resolve) => {
    let last = -1;
    let since = performance.now();
    const looking = setInterval(() => {
      const now = at[0]! * 2 ** 26 + at[1]!;
      if (now !== last) {
        last = now;
        since = performance.now();
      } else if (performance.now() - since > hangsMs) end('hangs');
    }, LOOK_MS);
    const end = (why: string | undefined) => {
      clearInterval(looking);
      resolve(why);
      void worker.terminate();
    };
    worker.on('message', ({ finding, tally }: { finding?: Finding; tally?: Tally }) => {
      if (finding) onFinding(finding);
      if (tally) onTally(tally);
    });
    worker.on('error', (error) => end(`ended its thread: ${format(error)}`));
    worker.on('exit', () => end(undefined));
  });
}
