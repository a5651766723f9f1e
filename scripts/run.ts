/** Starts programs: one way to do it for every script, with failures that say what was run and what it said. */
import { spawn } from 'node:child_process';

export interface RunOptions {
  cwd?: string;
  /** Added to the environment of this process; undefined removes a variable. */
  env?: Record<string, string | undefined>;
  /** Given to the program on its standard input. */
  input?: string | Buffer;
  /** Called with every line of stdout and stderr as it comes. */
  onLine?: ((line: string) => void) | undefined;
  /** Ends the program with SIGKILL after this many milliseconds. */
  timeoutMs?: number;
  /**
   * Asks the program to end (SIGINT) when it aborts; what comes of that is the program's own affair. It is asked only
   * once: it runs in a session of its own, where Ctrl-C in a terminal does not reach it as well.
   */
  signal?: AbortSignal | undefined;
  /** Exit codes that are no failure; 0 alone, if absent. */
  accept?: readonly number[] | undefined;
}

export interface RunResult {
  code: number;
  stdout: string;
  stderr: string;
}

/** A program could not be started, or ended with a code that was not accepted. */
export class RunFailed extends Error {
  readonly result: RunResult;

  constructor(message: string, result: RunResult) {
    super(message);
    this.name = 'RunFailed';
    this.result = result;
  }
}

/** Runs a program to its end. Arguments reach it as they are: no shell reads them. Rejects with {@link RunFailed}. */
export function run(program: string, args: readonly string[], options: RunOptions = {}): Promise<RunResult> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: options.signal !== undefined,
      timeout: options.timeoutMs,
      killSignal: 'SIGKILL',
    });
    const interrupt = () => child.kill('SIGINT');
    options.signal?.addEventListener('abort', interrupt);
    const result: RunResult = { code: -1, stdout: '', stderr: '' };
    const fail = (why: string) => reject(new RunFailed(`${commandLine(program, args)}: ${why}`, result));
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      result.stdout += text;
    });
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      result.stderr += text;
    });
    if (options.onLine) for (const stream of [child.stdout, child.stderr]) stream?.on('data', lines(options.onLine));
    child.stdin?.on('error', () => {}); // A program may end without reading; its exit code tells.
    child.stdin?.end(options.input);
    child.on('error', (error: NodeJS.ErrnoException) =>
      fail(error.code === 'ENOENT' ? 'is not installed (not found in PATH)' : error.message),
    );
    child.on('close', (code, signal) => {
      options.signal?.removeEventListener('abort', interrupt);
      result.code = code ?? -1;
      if (code !== null && (options.accept ?? [0]).includes(code)) return resolve(result);
      const ended = signal ? `was ended by ${signal}` : `ended with code ${code}`;
      const tail = lastLines(result.stderr.trim() || result.stdout.trim(), 20);
      fail(tail ? `${ended}:\n${tail}` : ended);
    });
  });
}

/** Splits chunks of text into lines; the unfinished rest of a chunk waits for the next one. */
function lines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const parts = (rest + text).split('\n');
    rest = parts.pop() ?? '';
    for (const line of parts) onLine(line);
  };
}

export function lastLines(text: string, count: number): string {
  return text.split('\n').slice(-count).join('\n');
}

/** As a person would type it. */
export function commandLine(program: string, args: readonly string[]): string {
  return [program, ...args].map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word}'`)).join(' ');
}
