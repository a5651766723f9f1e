/**
 * A fuzz target: one reader of what comes from outside, fed with random inputs. Adding one is a file in `targets/` and a line in
 * `targets/index.ts`:
 *
 *   export const frames: FuzzTarget<Buffer> = {
 *     name: 'frames',
 *     make: (dice) => mutatedBytes(dice, dice.pick(samples)),
 *     run: (bytes) => decodeFrame(bytes),
 *   };
 */
import { PlumbError } from '@plumb/schemas';
import type { Dice } from '../core/dice.ts';

export interface FuzzTarget<Input = unknown> {
  /** One word, as people name it on the command line. */
  readonly name: string;
  /** An input; the same dice make the same one. */
  make(dice: Dice): Input;
  /** Feeds it. What it throws must be allowed; a {@link Wrong} that it returns says what is wrong with the answer. */
  run(input: Input): unknown;
  /** Whether to throw this is the right answer; {@link isRefusal}, if absent. */
  allows?(thrown: unknown): boolean;
  /** Processor time that one input may take, in milliseconds; {@link WITHIN_MS}, if absent. */
  withinMs?: number;
  /** The input as a report shows it; JSON, if absent. */
  show?(input: Input): string;
  /** Before the first input. */
  open?(): Promise<void>;
  /** After the last one. */
  close?(): Promise<void>;
}

/** Processor time of one input, in milliseconds. */
export const WITHIN_MS = 100;

/** An error that tells the sender what is wrong with what was sent. */
export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof PlumbError && thrown.reason !== 'Internal';
}

/** What a target returns when an answer is wrong. */
export class Wrong {
  readonly what: string;

  constructor(what: string) {
    this.what = what;
  }
}

/** What went wrong with one input. */
export interface Finding {
  target: string;
  /** Shows it again: `npm run soak -- --fuzz --again SEED`. */
  again: string;
  what: string;
  input: string;
}

export interface Tally {
  target: string;
  inputs: number;
  /** Inputs that were refused with an allowed error. */
  refused: number;
  /** The slowest input, processor time in milliseconds. */
  slowestMs: number;
}
