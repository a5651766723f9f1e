/** Starts a process without rights for each look at a repository, gives it a folder of its own, and ends it when its time is over. */
import { type ChildProcess, spawn } from 'node:child_process';
import { chown, mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { SourceRulesInit } from '@plumb/schemas/sources/source-rules.ts';
import { FETCH_USER, MAKE_FETCH_USER } from '@plumb/schemas/sources/users.ts';
import { unavailable } from './failures.ts';
import type { Look, LookAnswer, LookJob, Rendered, Unchanged, Wanted } from './look.ts';

export interface LookerOptions {
  rules: SourceRulesInit;
  limits: ServerLimits;
  /** As whom, where this process is root: undefined when there is no such user. */
  user: () => Promise<{ uid: number; gid: number } | undefined>;
  /** The program kustomize, if it was built. */
  kustomize?: string | undefined;
  clock: Clock;
}

const MAIN = join(import.meta.dirname, 'look-main.ts');
const UNTIL_IT_IS_NOBODY = '-all,+setuid,+setgid,+dac_read_search';
const MOST_SAID = 2000;
const OWN_BYTES = 64 * 1024;

export function looker(options: LookerOptions): Look {
  const { limits } = options;
  let free = limits.gitLooksAtOnce;
  const waiting: (() => void)[] = [];
  return async (wanted, signal) => {
    if (free === 0) await new Promise<void>((resolve) => waiting.push(resolve));
    else free--;
    try {
      signal.throwIfAborted();
      return await lookOnce(options, wanted, signal);
    } finally {
      const next = waiting.shift();
      if (next) next();
      else free++;
    }
  };
}

async function lookOnce(options: LookerOptions, wanted: Wanted, signal: AbortSignal): Promise<Rendered | Unchanged> {
  const { rules, limits, kustomize } = options;
  const user = await requireUser(options);
  const scratch = await mkdtemp(join(tmpdir(), 'plumb-git-'));
  const program = kustomize === undefined ? undefined : await open(kustomize).catch(() => undefined);
  try {
    if (user) await chown(scratch, user.uid, user.gid);
    const job: LookJob = { wanted, rules, limits, scratch, kustomize: program !== undefined };
    const child = start(limits, user, program?.fd);
    const answer = await finished(child, job, options, signal);
    if ('found' in answer) return answer.found;
    throw new PlumbError(answer.failure);
  } finally {
    await program?.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

async function requireUser({ user }: LookerOptions): Promise<{ uid: number; gid: number } | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const found = await user();
  if (found && found.uid !== 0 && found.gid !== 0) return found;
  throw terminal(
    'FetchUserMissing',
    `repositories are looked at by the user ${FETCH_USER}, which is not on this machine; make it: ${MAKE_FETCH_USER}`,
  );
}

function start(
  limits: ServerLimits,
  user: { uid: number; gid: number } | undefined,
  program: number | undefined,
): ChildProcess {
  const rights = ['--inh-caps=-all', '--ambient-caps=-all'];
  if (user) rights.push(`--bounding-set=${UNTIL_IT_IS_NOBODY}`);
  const node = [process.execPath, `--max-old-space-size=${limits.gitMemoryMiB}`, '--disable-sigusr1', MAIN];
  const whom = user ? [String(user.uid), String(user.gid)] : [];
  const bounds = ['--core=0', `--cpu=${limits.gitSeconds}`, '--nofile=256'];
  const kept = ['PATH', 'GIT_SSL_CAINFO'].flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  return spawn('prlimit', [...bounds, '--', 'setpriv', '--no-new-privs', ...rights, '--', ...node, ...whom], {
    stdio: ['pipe', 'pipe', 'pipe', program ?? 'ignore'],
    // A ring that was made as root would go on as root (CVE-2024-22017).
    env: { ...Object.fromEntries(kept), UV_USE_IO_URING: '0' },
    cwd: '/',
    // With what it starts it is one group, which ends as one.
    detached: true,
  });
}

function finished(
  child: ChildProcess,
  job: LookJob,
  { limits, clock }: LookerOptions,
  signal: AbortSignal,
): Promise<LookAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<LookAnswer>();
  const { url } = job.wanted;
  const chunks: Buffer[] = [];
  let size = 0;
  let said = '';
  let ended = '';
  const end = (why: string) => {
    ended ||= why;
    try {
      if (child.pid !== undefined) process.kill(-child.pid, 'SIGKILL');
    } catch {
      // It has just ended.
    }
  };
  const stop = clock.after(limits.gitSeconds * 1000, () =>
    end(`it takes longer than ${limits.gitSeconds} s (gitSeconds)`),
  );
  const abort = () => end('it was given up');
  signal.addEventListener('abort', abort, { once: true });
  child.stdout!.on('data', (chunk: Buffer) => {
    size += chunk.length;
    if (size > limits.gitManifestBytes * 2 + OWN_BYTES) end('more is said of it than can be read');
    else chunks.push(chunk);
  });
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-MOST_SAID);
  });
  child.stdin!.on('error', () => {});
  child.stdin!.end(JSON.stringify(job));
  child.on('error', (error) => {
    ended ||= error.message;
  });
  child.on('close', (code, killed) => {
    stop();
    signal.removeEventListener('abort', abort);
    end('');
    if (signal.aborted) return reject(signal.reason);
    const text = Buffer.concat(chunks).toString('utf8');
    try {
      if (ended === '' && code === 0) return resolve(JSON.parse(text) as LookAnswer);
    } catch {
      // As if it had said nothing.
    }
    const memory = /heap out of memory|allocation failed/i.test(said);
    const why = memory
      ? `it takes more than ${limits.gitMemoryMiB} MiB of memory (gitMemoryMiB)`
      : said.split('\n', 1)[0];
    return reject(
      unavailable(url, ended || printable(why || `the process that reads it ended (${killed ?? code})`, 200)),
    );
  });
  return promise;
}
