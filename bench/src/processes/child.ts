import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A process that runs beside the measurement and ends with it. */
export interface Child {
  readonly pid: number;
  /** The line by which it said that it is ready. */
  readonly ready: string;
  /** The last lines that it printed. */
  said(): string;
  /** Asks it to end, and makes it after a while. */
  end(): Promise<void>;
}

const running = new Set<ChildProcess>();
const KEPT_LINES = 20;
const PATIENCE_MS = 30_000;

/**
 * Starts a program of ours on the Node that runs this and waits for the line that matches `ready`. Rejects with what
 * the program said when it ends before. `flags`: for Node itself, none in what counts.
 */
export async function startChild(
  file: string,
  args: readonly string[],
  ready: RegExp,
  flags: readonly string[] = [],
): Promise<Child> {
  const process_ = spawn(process.execPath, [...flags, file, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  running.add(process_);
  process_.once('exit', () => running.delete(process_));
  const said: string[] = [];
  const line = await new Promise<string>((resolve, reject) => {
    for (const stream of [process_.stdout, process_.stderr]) {
      createInterface({ input: stream }).on('line', (text) => {
        said.push(text);
        if (said.length > KEPT_LINES) said.shift();
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

/** Runs a program of ours to its end. Rejects with what it said when it fails. */
export async function runChild(file: string, args: readonly string[]): Promise<void> {
  const process_ = spawn(process.execPath, [file, ...args], { stdio: ['ignore', 'ignore', 'pipe'] });
  running.add(process_);
  let said = '';
  process_.stderr.setEncoding('utf8').on('data', (part: string) => {
    said = (said + part).slice(-5_000);
  });
  const [code, signal] = (await once(process_, 'close')) as [number | null, string | null];
  running.delete(process_);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended (${signal ?? code}):\n${said}`);
}

/** Ends every child that still runs. */
export async function endChildren(): Promise<void> {
  await Promise.all([...running].map(end));
}

/** Makes sure that a benchmark that is broken off leaves no process behind. For the command, not for tests. */
export function endChildrenOnSignals(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGTERM');
  const force = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
  await gone;
  clearTimeout(force);
}
