import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that runs beside the measurement and ends with it. */
export interface Child {
  pid: number;
  /** The line by which it said that it is ready. */
  ready: string;
  /** The last lines that it printed. */
  said(): string;
  /** Asks it to end, and makes it after five seconds. */
  end(): Promise<void>;
}

const running = new Set<ChildProcess>();

/**
 * Starts a program of ours on the Node that runs this and waits for the line that matches `ready`. Rejects with what
 * the program said when it ends before.
 */
export async function startChild(file: string, args: readonly string[], ready: RegExp): Promise<Child> {
  const process_ = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(process_);
  process_.once('exit', () => running.delete(process_));
  const said: string[] = [];
  const line = await new Promise<string>((resolve, reject) => {
    for (const stream of [process_.stdout, process_.stderr]) {
      createInterface({ input: stream }).on('line', (text) => {
        said.push(text);
        if (said.length > 50) said.shift();
        if (ready.test(text)) resolve(text);
      });
    }
    process_.once('error', reject);
    process_.once('exit', (code, signal) =>
      reject(new Error(`${file} ${args.join(' ')} ended (${signal ?? code}) before it was ready:\n${said.join('\n')}`)),
    );
  });
  return { pid: process_.pid as number, ready: line, said: () => said.join('\n'), end: () => end(process_) };
}

/** Ends every child that still runs. */
export async function endChildren(): Promise<void> {
  await Promise.all([...running].map(end));
}

// A benchmark that is broken off leaves nothing behind.
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    for (const child of running) child.kill('SIGKILL');
    process.exit(130);
  });
}
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), 5_000);
  await gone;
  clearTimeout(force);
}
