import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Clock } from '@plumb/schemas';

export interface WatchLinesOptions {
  /** A program that says what happens, line by line, and does not end by itself. */
  command: readonly [string, ...string[]];
  /** Path of the network namespace to watch; that of this process, if absent. */
  networkNamespace?: string | undefined;
  clock: Clock;
  line: (text: string) => void;
  /** Called when something may have been missed, since the program ended and was started again. */
  missed: () => void;
}

const START_AGAIN_MS = 1_000;
/** A program that cannot run is tried less and less often. */
const LONGEST_MS = 30_000;

/** Runs the program for as long as it is wanted. Returns a function that ends it. */
export function watchLines({ command, networkNamespace, clock, line, missed }: WatchLinesOptions): () => void {
  const [program, ...args] = networkNamespace ? ['nsenter', `--net=${networkNamespace}`, '--', ...command] : command;
  let stopped = false;
  let end = () => {};
  let failures = 0;
  const start = () => {
    const child = spawn(program!, args, { stdio: ['ignore', 'pipe', 'ignore'] });
    createInterface(child.stdout).on('line', (text) => {
      failures = 0;
      line(text);
    });
    child.on('error', () => {}); // `close` follows.
    child.on('close', () => {
      if (stopped) return;
      end = clock.after(Math.min(LONGEST_MS, START_AGAIN_MS * 2 ** failures++), () => {
        start();
        missed();
      });
    });
    end = () => child.kill();
  };
  start();
  return () => {
    stopped = true;
    end();
  };
}
