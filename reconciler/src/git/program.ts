/** Runs git and kustomize: with bounded memory, files and output, in an environment of their own, never by a shell. */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';

export interface Program {
  command: string;
  args: readonly string[];
  env: Record<string, string>;
  cwd: string;
  memoryMiB: number;
  /** The largest file that it may write. */
  fileBytes: number;
  /** Descriptor that it inherits as 3. */
  fd?: number;
  input?: string;
  /** Told of what it writes as it comes; throwing ends the program, and is what the run rejects with. */
  onOutput?: (chunk: Buffer) => void;
  signal: AbortSignal;
}

export interface Ran {
  code: number | null;
  killed: NodeJS.Signals | null;
  stdout: Buffer;
  /** The end of what it said. */
  said: string;
}

/** By its path: what is run may have no search path. */
const PRLIMIT =
  (process.env.PATH ?? '/usr/bin:/bin')
    .split(':')
    .map((folder) => join(folder, 'prlimit'))
    .find((file) => existsSync(file)) ?? 'prlimit';
const MOST_SAID = 4000;
const MOST_OUTPUT = 1024 * 1024;

export function run(program: Program): Promise<Ran> {
  const { command, args, env, cwd, memoryMiB, fileBytes, fd, input, onOutput, signal } = program;
  const { promise, resolve, reject } = Promise.withResolvers<Ran>();
  const bounds = ['--core=0', `--as=${memoryMiB * 1024 * 1024}`, `--fsize=${fileBytes}`, '--nofile=256'];
  const child = spawn(PRLIMIT, [...bounds, '--', command, ...args], {
    ...{ env, cwd, signal, killSignal: 'SIGKILL' },
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', ...(fd === undefined ? [] : [fd])],
  });
  const [stdin, stdout, stderr] = child.stdio as unknown as [Writable | null, Readable, Readable];
  const chunks: Buffer[] = [];
  let size = 0;
  let said = '';
  let failure: unknown;
  stdin?.on('error', () => {}); // It may end before it has read everything.
  stdin?.end(input);
  stdout.on('data', (chunk: Buffer) => {
    if (failure !== undefined) return;
    try {
      if (onOutput) return onOutput(chunk);
      size += chunk.length;
      if (size > MOST_OUTPUT) throw new Error(`${command} says too much`);
      chunks.push(chunk);
    } catch (thrown) {
      failure = thrown;
      child.kill('SIGKILL');
    }
  });
  stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MOST_SAID);
  });
  child.on('error', reject);
  child.on('close', (code, killed) => {
    if (failure !== undefined) reject(failure);
    else resolve({ code, killed, stdout: Buffer.concat(chunks), said: said.trim() });
  });
  return promise;
}
