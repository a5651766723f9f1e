/** What the command takes from the process that it runs in. Injected, so that tests can be one. */
import { type Clock, realAmbient } from '@plumb/schemas/meta/ambient.ts';

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Everything on standard input. */
  stdin(): Promise<Uint8Array>;
  /** One line that a person types; undefined when nobody can. */
  line(): Promise<string | undefined>;
  /** From now on Ctrl-C ends nothing by itself: it aborts this. A second one ends the process. */
  interruptible(): AbortSignal;
  /** Results, to standard output. */
  out(text: string): void;
  /** Progress and errors, to standard error. */
  err(text: string): void;
  /** Whether a person watches standard error, so that a line may be written over. */
  interactive: boolean;
  /** How wide that person's terminal is, in characters; undefined: not known. */
  columns?: () => number | undefined;
  /** How many lines it has; undefined: not known. */
  rows?: () => number | undefined;
}

export function realSurroundings(): Surroundings {
  let interrupt: AbortController | undefined;
  return {
    interruptible() {
      if (!interrupt) {
        const controller = new AbortController();
        process.once('SIGINT', () => controller.abort());
        interrupt = controller;
      }
      return interrupt.signal;
    },
    env: process.env,
    clock: realAmbient().clock,
    async stdin() {
      const parts: Buffer[] = [];
      for await (const part of process.stdin) parts.push(part as Buffer);
      return Buffer.concat(parts);
    },
    async line() {
      if (!process.stdin.isTTY) return undefined;
      const { createInterface } = await import('node:readline');
      const reader = createInterface({ input: process.stdin });
      try {
        for await (const line of reader) return line;
        return undefined;
      } finally {
        reader.close();
      }
    },
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stderr.isTTY === true,
    columns: () => process.stderr.columns,
    rows: () => process.stderr.rows,
  };
}
