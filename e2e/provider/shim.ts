/** The binary that Terraform starts, without Terraform: its handshake, or why there is none. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';

/** By these Terraform says that it is the one who starts a plugin. */
export const COOKIE = {
  TF_PLUGIN_MAGIC_COOKIE: 'd602bf8f470bc67ca7faa0386276bbdd4330efaf76d1a219cb4d6991ca9872b2',
  PLUGIN_PROTOCOL_VERSIONS: '6',
};

export interface Handshake {
  /** The first line on stdout. */
  line: string;
  /** What was written to stderr, of a shim that has ended. */
  stderr: string;
  /** From the start to the line, in milliseconds. */
  ms: number;
}

/** Starts the binary with this environment and nothing else, waits for its first line, and ends it. */
export async function handshake(
  binary: string,
  env: Record<string, string>,
  wrapper: readonly string[] = [],
): Promise<Handshake> {
  const [program = binary, ...args] = [...wrapper, binary];
  const started = performance.now();
  const child: ChildProcess = spawn(program, args, { env: { ...COOKIE, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
  const ended = once(child, 'exit');
  const stderr = text(child.stderr!);
  const lines = createInterface({ input: child.stdout! });
  const [line] = (await Promise.race([once(lines, 'line'), once(lines, 'close').then(() => [''])])) as [string];
  const ms = performance.now() - started;
  child.kill();
  await ended;
  return { line, stderr: await stderr, ms };
}
