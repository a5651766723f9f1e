import { spawn } from 'node:child_process';
import { PlumbError, retryable, terminal } from '@plumb/schemas';

export interface CommandOptions {
  /** Given to the program on its standard input. */
  input?: string;
  /** Instead of `input`: a descriptor that the program has as its standard input. */
  stdin?: number;
  /** The program is killed after so many milliseconds; 30,000 if absent. */
  timeoutMs?: number;
  /** Ends the program early. */
  signal?: AbortSignal;
  /** Instead of the environment of this process. */
  env?: NodeJS.ProcessEnv;
}

/** A program ended with another code than 0. Its `reason` is `CommandFailed` (retry). */
export class CommandFailed extends PlumbError {
  /** -1 when a signal ended it. */
  readonly exitCode: number;
  readonly stderr: string;

  constructor(program: string, exitCode: number, stderr: string) {
    super({
      reason: 'CommandFailed',
      message: `${program} failed${exitCode < 0 ? '' : ` with code ${exitCode}`}: ${stderr || 'it said nothing'}`,
      retry: 'retry',
    });
    this.name = 'CommandFailed';
    this.exitCode = exitCode;
    this.stderr = stderr;
  }
}

/** Runs programs. Arguments reach the program as they are: no shell is in between. */
export type Run = (program: string, args: readonly string[], options?: CommandOptions) => Promise<string>;

const DEFAULT_TIMEOUT_MS = 30_000;
/** More output than any of our programs has a reason for. */
const MAX_OUTPUT_BYTES = 64 * 1024 * 1024;
const MAX_STDERR_CHARS = 2_000;

/** Runs a program to its end and resolves to its standard output. Rejects with {@link CommandFailed}. */
export const run: Run = (program, args, options = {}) =>
  new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      stdio: [options.stdin ?? 'pipe', 'pipe', 'pipe'],
      timeout: options.timeoutMs ?? DEFAULT_TIMEOUT_MS,
      killSignal: 'SIGKILL',
      ...(options.signal ? { signal: options.signal } : {}),
      env: { ...(options.env ?? process.env), LC_ALL: 'C' },
    });
    const stdout: Buffer[] = [];
    let bytes = 0;
    let stderr = '';
    child.stdout!.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes > MAX_OUTPUT_BYTES) child.kill('SIGKILL');
      else stdout.push(chunk);
    });
    child.stderr!.setEncoding('utf8').on('data', (text: string) => {
      stderr = (stderr + text).slice(-MAX_STDERR_CHARS);
    });
    child.stdin?.on('error', () => {}); // A program may end without reading its input; its exit code tells.
    child.stdin?.end(options.input ?? '');
    child.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT')
        reject(terminal('ProgramMissing', `${program} is not installed on this host: install the package that has it`));
      else reject(retryable('CommandFailed', `${program} could not be run: ${error.message}`, error));
    });
    child.on('close', (code) => {
      if (code === 0) resolve(Buffer.concat(stdout).toString('utf8'));
      else reject(new CommandFailed(program, code ?? -1, stderr.trim()));
    });
  });

/** Runs programs inside a network namespace, given as its path, e.g. `/run/netns/lab`. */
export function runInNetwork(networkNamespace: string, inner: Run = run): Run {
  return (program, args, options) => inner('nsenter', [`--net=${networkNamespace}`, '--', program, ...args], options);
}
