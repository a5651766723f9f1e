import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A peer's program that runs beside the measurement and ends with it. */
export interface Program {
  readonly name: string;
  readonly pid: number;
  /** Whether it has ended, wanted or not. */
  ended(): boolean;
  /** The last lines that it printed. */
  said(): string;
  /** Asks it to end, and makes it after a while. */
  end(): Promise<void>;
}

export interface ProgramOptions {
  /** For messages: `etcd`. */
  name: string;
  path: string;
  args: readonly string[];
  /** File that gets what it prints. */
  log: string;
  env?: Record<string, string>;
}

const running = new Set<ChildProcess>();
const PATIENCE_MS = 20_000;
const KEPT_LINES = 40;

export function startProgram({ name, path, args, log, env = {} }: ProgramOptions): Program {
  const file = openSync(log, 'a');
  const child = spawn(path, args, { stdio: ['ignore', file, file], env: { ...process.env, ...env } });
  closeSync(file);
  if (child.pid === undefined) throw new Error(`${name} could not be started: ${path}`);
  running.add(child);
  child.once('exit', () => running.delete(child));
  const ended = () => child.exitCode !== null || child.signalCode !== null;
  return {
    ...{ name, pid: child.pid, ended },
    said: () => readFileSync(log, 'utf8').trimEnd().split('\n').slice(-KEPT_LINES).join('\n'),
    async end() {
      if (ended()) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      const force = setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS);
      await gone;
      clearTimeout(force);
    },
  };
}

/** Makes sure that a run that is broken off leaves no program behind. */
export function endProgramsOnExit(): void {
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));
  process.once('exit', () => {
    for (const child of running) child.kill('SIGKILL');
  });
}

/** Asks `ready` until it is true; rejects when one of the programs ends before, or after `patienceMs`. */
export async function waitUntil(
  what: string,
  programs: readonly Program[],
  ready: () => Promise<boolean>,
  patienceMs = 120_000,
): Promise<void> {
  for (const until = performance.now() + patienceMs; performance.now() < until; await pause(100)) {
    for (const program of programs)
      if (program.ended()) throw new Error(`${program.name} ended before ${what}:\n${program.said()}`);
    if (await ready().catch(() => false)) return;
  }
  const said = programs.map((program) => `${program.name}:\n${program.said()}`).join('\n');
  throw new Error(`not within ${patienceMs / 1000} s: ${what}\n${said}`);
}

/** Peers say nothing by themselves when they have settled: they have to be asked again. */
export function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
