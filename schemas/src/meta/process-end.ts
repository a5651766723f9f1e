/**
 * How a process that serves for a long time ends: because a signal asks for it, or because it cannot go on. Either way it is
 * over within a bound, whatever still waits for what: a process that serves nothing and stays keeps its supervisor from
 * starting the next one.
 *
 *   const end = watchForEnd('plumb server');
 *   const plane = await serve({ onFatal: end.fatal });
 *   const code = await end.wanted;
 *   await plane.close();
 */

/** What runs is given this long to end once the end is wanted. */
export const END_WITHIN_MS = 10_000;

export interface ProcessEnd {
  /** Resolves with the exit code once the process is to end. */
  readonly wanted: Promise<number>;
  /** The process cannot go on: says why on stderr, and wants the end with exit code 1. */
  readonly fatal: (error: Error) => void;
}

/** The part of a process that is needed; tests give their own. */
export interface EndingProcess {
  on(
    event: 'SIGINT' | 'SIGTERM' | 'uncaughtException',
    // biome-ignore lint/suspicious/noExplicitAny: what is given differs from event to event
    listener: (given: any) => void,
  ): unknown;
  stderr: { write(text: string): unknown };
  exit(code: number): void;
}

export interface EndOptions {
  process?: EndingProcess;
  /** Calls `run` after `ms` milliseconds, unless the process is over before. */
  after?: (ms: number, run: () => void) => void;
  /** Told of an exception that nothing catches, before the process ends because of it. Must not wait for anything. */
  onCrash?: (error: Error) => void;
}

const signals = { SIGINT: 2, SIGTERM: 15 } as const;

/**
 * Watches for the end of this process. The first SIGTERM or SIGINT asks for it, a second one ends the process at once. What
 * nothing catches ends it at once, too: nobody knows what state it has left behind.
 */
export function watchForEnd(name: string, options: EndOptions = {}): ProcessEnd {
  const { process: here = process as EndingProcess, after = afterUnlessOver, onCrash } = options;
  const { promise: wanted, resolve } = Promise.withResolvers<number>();
  const say = (text: string) => here.stderr.write(`${name}: ${text}\n`);
  let begun = false;
  let saidWhy = false;
  const want = (code: number) => {
    if (begun) return;
    begun = true;
    resolve(code);
    after(END_WITHIN_MS, () => {
      say(`has not come to its end within ${END_WITHIN_MS / 1000} s, and ends now as it is`);
      here.exit(1);
    });
  };
  for (const [signal, number] of Object.entries(signals) as ['SIGINT' | 'SIGTERM', number][])
    here.on(signal, () => (begun ? here.exit(saidWhy ? 1 : 128 + number) : want(0)));
  here.on('uncaughtException', (error: Error) => {
    say(`cannot go on: ${error.stack ?? error}`);
    try {
      onCrash?.(error);
    } finally {
      here.exit(1);
    }
  });
  return {
    wanted,
    fatal(error) {
      if (!saidWhy) say(`cannot go on: ${error.message}`);
      saidWhy = true;
      want(1);
    },
  };
}

/** Does not keep the process from ending by itself. */
function afterUnlessOver(ms: number, run: () => void): void {
  setTimeout(run, ms).unref();
}
