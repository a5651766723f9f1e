/** Processes that outlive the program which started them: who they are, whether they still run, and ending them. */
import { spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';

/** A process, told apart from a later one that got the same number. */
export interface ProcessRecord {
  pid: number;
  /** When the kernel started it, in the kernel's own words. */
  started: string;
}

export interface Started extends ProcessRecord {
  /** Settles when the process ends: its exit code, or the signal that ended it. Never rejects. */
  exit: Promise<number | NodeJS.Signals>;
}

/**
 * Starts a program in a session of its own, so that Ctrl-C in a terminal reaches only who started it, and appends what
 * it prints to `log`. `program` must be there: it throws otherwise.
 */
export function startProcess(
  program: string,
  args: readonly string[],
  options: { log: string; cwd?: string; env?: Record<string, string | undefined> },
): Started {
  const log = openSync(options.log, 'a', 0o600);
  try {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      detached: true,
      stdio: ['ignore', log, log],
    });
    const exit = new Promise<number | NodeJS.Signals>((resolve) => {
      child.on('error', () => resolve(-1));
      child.on('exit', (code, signal) => resolve(code ?? signal ?? -1));
    });
    if (child.pid === undefined) throw new Error(`${program} could not be started: is it installed?`);
    return { pid: child.pid, started: startTime(child.pid) ?? '', exit };
  } finally {
    closeSync(log);
  }
}

/** The process that has this number now. */
export function processAt(pid: number): ProcessRecord | undefined {
  const started = pid > 1 ? startTime(pid) : undefined;
  return started === undefined ? undefined : { pid, started };
}

export function isRunning(record: ProcessRecord): boolean {
  return record.pid > 0 && startTime(record.pid) === record.started;
}

/**
 * Asks the process to end (SIGTERM) and makes it (SIGKILL) after `graceMs`. Resolves when it is gone; at once when it
 * was gone before.
 */
export async function endProcess(record: ProcessRecord, graceMs = 10_000): Promise<void> {
  if (!signal(record, 'SIGTERM') || (await gone(record, graceMs))) return;
  signal(record, 'SIGKILL');
  await gone(record, 5_000);
}

/** Sends a signal to this very process. False when it is gone. */
export function signal(record: ProcessRecord, name: NodeJS.Signals): boolean {
  if (!isRunning(record)) return false;
  try {
    return process.kill(record.pid, name);
  } catch {
    return false; // It went between the two calls.
  }
}

/** The kernel tells only a parent that a process ended; anyone else has to look. */
async function gone(record: ProcessRecord, withinMs: number): Promise<boolean> {
  for (let waited = 0; waited < withinMs; waited += 20) {
    if (!isRunning(record)) return true;
    await delay(20);
  }
  return !isRunning(record);
}

/** Undefined when there is no such process, or only what remains of one that its parent has not asked about yet. */
function startTime(pid: number): string | undefined {
  if (process.platform === 'linux') {
    try {
      // proc(5): the name in parentheses may hold anything; state is the first field behind it, start time the 20th.
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return fields[0] === 'Z' ? undefined : fields[19];
    } catch {
      return undefined;
    }
  }
  const { stdout, status } = spawnSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' });
  return status === 0 ? stdout.trim() : undefined;
}
