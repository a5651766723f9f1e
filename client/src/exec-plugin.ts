/**
 * Credentials that a kubeconfig gets from a program (`users[].user.exec`), as Kubernetes' clients do it:
 * https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins
 *
 * The program runs with the environment of the one who asks, never with that of the process which asks for him: a provider
 * serves runs of several shells.
 */
import { isAbsolute, join } from 'node:path';
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { Surroundings } from './connection.ts';

export interface ExecPlugin {
  command: string;
  args: string[];
  env: Record<string, string>;
  /** `client.authentication.k8s.io/v1` or `/v1beta1`. */
  apiVersion: string;
  /** What to do where the program is missing. */
  installHint: string | undefined;
  /** Told to the program, if it wants to know which server the credential is for. */
  cluster: Record<string, unknown> | undefined;
}

export interface Credential {
  token?: string;
  /** PEM. */
  certificate?: { cert: string; key: string };
}

export interface PluginSurroundings extends Surroundings {
  clock: Clock;
}

const VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1'];
/** A program that asks a person, or a server that does not answer, takes no longer. */
const PATIENCE_MS = 60_000;
const MOST_BYTES = 1 << 20;
/** Of what it wrote to standard error, characters that are shown. */
const MOST_SHOWN = 500;
/** A credential is renewed so long before its end, so that a request that takes its time does not bear a stale one. */
const EARLY_MS = 10_000;

/** Reads `exec`. `folder`: of the kubeconfig, where relative paths of programs begin. Throws terminal `BadKubeconfig`. */
export function execPlugin(fields: unknown, folder: string, cluster?: Record<string, unknown>): ExecPlugin {
  const { command, args, env, apiVersion, installHint, interactiveMode, provideClusterInfo } = (fields ?? {}) as Record<
    string,
    unknown
  >;
  if (typeof command !== 'string' || command === '') throw bad('exec has no command');
  if (typeof apiVersion !== 'string' || !VERSIONS.includes(apiVersion))
    throw bad(`exec.apiVersion must be ${VERSIONS.join(' or ')}`);
  if (interactiveMode === 'Always') throw bad(`${command} wants to ask a person (interactiveMode: Always)`);
  return {
    command: command.includes('/') && !isAbsolute(command) ? join(folder, command) : command,
    args: strings(args ?? [], 'exec.args'),
    env: variables(env ?? []),
    apiVersion,
    installHint: typeof installHint === 'string' ? installHint : undefined,
    cluster: provideClusterInfo === true ? cluster : undefined,
  };
}

function strings(value: unknown, name: string): string[] {
  if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
  throw bad(`${name} must be a list of strings`);
}

function variables(value: unknown): Record<string, string> {
  const entries = Array.isArray(value) ? value : [undefined];
  const named = entries.map((one) => one as { name?: unknown; value?: unknown } | undefined);
  if (named.some((one) => typeof one?.name !== 'string' || typeof one.value !== 'string'))
    throw bad('exec.env must be a list of names and values');
  return Object.fromEntries(named.map((one) => [one!.name, one!.value])) as Record<string, string>;
}

/** The credential of a program: asked for when it is first needed, and again when its time is over or it was refused. */
export class PluginCredential {
  readonly #plugin: ExecPlugin;
  readonly #surroundings: PluginSurroundings;
  #known: Lasting | undefined;
  #asking: Promise<Lasting> | undefined;

  constructor(plugin: ExecPlugin, surroundings: PluginSurroundings) {
    this.#plugin = plugin;
    this.#surroundings = surroundings;
  }

  /** Throws terminal `NoCredential`. */
  async get(): Promise<Credential> {
    const known = this.#known;
    if (known && this.#surroundings.clock.now() < known.until) return known;
    this.#asking ??= this.#ask();
    return this.#asking;
  }

  /** The server refused it: another one is asked for the next time, unless that was done meanwhile. */
  refused(credential: Credential): void {
    if (this.#known === credential) this.#known = undefined;
  }

  async #ask(): Promise<Lasting> {
    try {
      this.#known = await runPlugin(this.#plugin, this.#surroundings);
      return this.#known;
    } catch (error) {
      const { credentialHint } = this.#surroundings;
      if (credentialHint === undefined || !(error instanceof PlumbError)) throw error;
      throw terminal(error.reason, `${error.message}; ${credentialHint}`);
    } finally {
      this.#asking = undefined;
    }
  }
}

/** `until`: milliseconds since the epoch. */
type Lasting = Credential & { until: number };

async function runPlugin(plugin: ExecPlugin, { env, cwd, clock }: PluginSurroundings): Promise<Lasting> {
  const { command, args, apiVersion, cluster } = plugin;
  const spec = { interactive: false, ...(cluster ? { cluster } : {}) };
  const { spawn } = await import('node:child_process');
  const child = spawn(command, args, {
    cwd,
    env: {
      ...env,
      ...plugin.env,
      KUBERNETES_EXEC_INFO: JSON.stringify({ apiVersion, kind: 'ExecCredential', spec }),
    },
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what it started ends with it.
    detached: true,
  });
  const kill = () => {
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  const heard = { out: '', err: '' };
  const hear = (name: 'out' | 'err') => (text: string) => {
    heard[name] = (heard[name] + text).slice(name === 'out' ? 0 : -MOST_SHOWN);
    if (heard.out.length > MOST_BYTES) kill();
  };
  child.stdout.setEncoding('utf8').on('data', hear('out'));
  child.stderr.setEncoding('utf8').on('data', hear('err'));
  let late = false;
  const stop = clock.after(PATIENCE_MS, () => {
    late = true;
    kill();
  });
  const ended = await new Promise<{ code: number | null; error?: NodeJS.ErrnoException }>((resolve) => {
    child.once('error', (error) => resolve({ code: null, error }));
    child.once('close', (code) => resolve({ code }));
  });
  stop();
  if (ended.error?.code === 'ENOENT')
    throw none(plugin, `it is not there${plugin.installHint ? `: ${printable(plugin.installHint, MOST_SHOWN)}` : ''}`);
  if (ended.error) throw none(plugin, ended.error.message);
  if (late) throw none(plugin, `it did not end within ${PATIENCE_MS / 1000} s`);
  if (ended.code !== 0) {
    const said = heard.err.trim();
    throw none(plugin, `it ended with code ${ended.code}${said ? ` and said: ${printable(said, MOST_SHOWN)}` : ''}`);
  }
  return credentialIn(plugin, heard.out);
}

/** What the program printed is a secret: no message repeats any of it. */
function credentialIn(plugin: ExecPlugin, text: string): Lasting {
  let status: Record<string, unknown> | undefined;
  try {
    status = (JSON.parse(text) as { status?: Record<string, unknown> }).status;
  } catch {
    throw none(plugin, 'it printed something that is not JSON');
  }
  const { token, clientCertificateData: cert, clientKeyData: key, expirationTimestamp } = status ?? {};
  const pair = typeof cert === 'string' && typeof key === 'string' ? { certificate: { cert, key } } : {};
  const bearer = typeof token === 'string' && token !== '' ? { token } : {};
  if (Object.keys({ ...pair, ...bearer }).length === 0) throw none(plugin, 'it printed no ExecCredential with a token');
  const end = typeof expirationTimestamp === 'string' ? Date.parse(expirationTimestamp) : Number.NaN;
  return { ...bearer, ...pair, until: Number.isNaN(end) ? Number.POSITIVE_INFINITY : end - EARLY_MS };
}

function none({ command }: ExecPlugin, why: string): PlumbError {
  return terminal('NoCredential', `${command}, which the kubeconfig names for the credential, gave none: ${why}`);
}

function bad(why: string): PlumbError {
  return terminal('BadKubeconfig', why);
}
