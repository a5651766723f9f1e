import type { ApiRig } from '@plumb/reconciler/api/testing/rig.ts';
import { realAmbient } from '@plumb/schemas';
import { runCli } from '../main.ts';

/** What it answered and printed. */
export interface Ran {
  code: number;
  out: string;
  err: string;
}

export interface RunOptions {
  input?: string | Uint8Array;
  env?: Record<string, string>;
  /** Told of what it prints when it does. */
  printed?: (text: string) => void;
  /** Aborted: Ctrl-C. */
  interrupt?: AbortSignal;
}

/** `plumb` with these arguments, with the kubeconfig of the API. */
export function runPlumb(api: ApiRig, args: string[], options: RunOptions = {}): Promise<Ran> {
  return run(args, { ...options, env: { KUBECONFIG: api.pki.kubeconfigFile, ...options.env } });
}

/** `plumb` with these arguments, for what needs no API. */
export async function run(
  args: string[],
  { input = '', env = {}, printed, interrupt = new AbortController().signal }: RunOptions = {},
): Promise<Ran> {
  const ran = { code: -1, out: '', err: '' };
  ran.code = await runCli(args, {
    env,
    clock: realAmbient().clock,
    stdin: async () => Buffer.from(input as string),
    line: async () => undefined,
    interruptible: () => interrupt,
    out: (text) => {
      ran.out += text;
      printed?.(text);
    },
    err: (text) => {
      ran.err += text;
    },
    interactive: false,
  });
  return ran;
}
