/** What the command takes from the process that it runs in. Injected, so that tests can be one. */
import { type Clock, realAmbient } from '@plumb/schemas';

export interface Surroundings {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  /** Everything on standard input. */
  stdin(): Promise<string>;
  /** Results, to standard output. */
  out(text: string): void;
  /** Progress and errors, to standard error. */
  err(text: string): void;
  /** Whether a person watches standard error, so that a line may be written over. */
  interactive: boolean;
}

export function realSurroundings(): Surroundings {
  return {
    env: process.env,
    clock: realAmbient().clock,
    async stdin() {
      const parts: Buffer[] = [];
      for await (const part of process.stdin) parts.push(part as Buffer);
      return Buffer.concat(parts).toString('utf8');
    },
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    interactive: process.stderr.isTTY === true,
  };
}
