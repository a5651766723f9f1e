/**
 * A repository, as far as it is needed: which commit a ref is, its files and what is in them. Nothing is ever checked out: no filter,
 * no attribute, no link of the repository has an effect, and git runs no program of anybody's.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { unavailable, unusable } from './failures.ts';
import type { LookJob } from './look.ts';
import { type Program, type Ran, run } from './program.ts';
import type { Source } from './source.ts';

/** An entry of a commit. */
export interface TreeEntry {
  path: string;
  type: 'file' | 'link' | 'submodule';
  id: string;
  bytes: number;
}

const MIB = 1024 * 1024;
const COMMIT = /^(?:[0-9a-f]{40}|[0-9a-f]{64})$/;
const TARGET = 'refs/plumb/target';

/** What git does not do, whatever a repository or a server says. */
const CONFIG = [
  ...['[safe]', '\tdirectory = *'],
  ...['[core]', '\thooksPath = /dev/null', '\tfsmonitor = false', '\tsymlinks = false', '\taskPass = ""'],
  ...['[transfer]', '\tfsckObjects = true', '\tbundleURI = false'],
  ...['[fetch]', '\trecurseSubmodules = false', '\tunpackLimit = 1', '\twriteCommitGraph = false'],
  ...['[submodule]', '\trecurse = false', '[gc]', '\tauto = 0', '[maintenance]', '\tauto = false'],
  ...['[pack]', '\tthreads = 1', '[credential]', '\thelper = ""'],
  ...['[http]', '\tfollowRedirects = false', '\tproxy = ""', '\tlowSpeedLimit = 1000', '\tlowSpeedTime = 30'],
  ...['[protocol]', '\tallow = never'],
];

export class Repository {
  readonly #job: LookJob;
  readonly #source: Source;
  readonly #signal: AbortSignal;
  readonly #folder: string;
  readonly #env: Record<string, string>;

  private constructor(job: LookJob, source: Source, signal: AbortSignal) {
    this.#job = job;
    this.#source = source;
    this.#signal = signal;
    this.#folder = join(job.scratch, 'repository.git');
    const home = join(job.scratch, 'home');
    const { PATH = '/usr/bin:/bin', GIT_SSL_CAINFO } = process.env;
    this.#env = {
      ...{ PATH, HOME: home, XDG_CONFIG_HOME: home, LC_ALL: 'C', GIT_CONFIG_NOSYSTEM: '1', GIT_ATTR_NOSYSTEM: '1' },
      ...{ GIT_CONFIG_GLOBAL: join(home, 'config'), GIT_ALLOW_PROTOCOL: source.protocol, GIT_PROTOCOL_FROM_USER: '0' },
      ...{ GIT_TERMINAL_PROMPT: '0', GIT_ASKPASS: 'false', SSH_ASKPASS: 'false', GIT_SSH_COMMAND: 'false' },
      ...{ GIT_NO_REPLACE_OBJECTS: '1', GIT_NO_LAZY_FETCH: '1', GIT_LITERAL_PATHSPECS: '1', GIT_DIR: this.#folder },
      ...(GIT_SSL_CAINFO ? { GIT_SSL_CAINFO } : {}),
    };
  }

  static async open(job: LookJob, source: Source, signal: AbortSignal): Promise<Repository> {
    const repository = new Repository(job, source, signal);
    const home = join(job.scratch, 'home');
    await mkdir(home, { mode: 0o700 });
    await writeFile(join(home, 'config'), `${[...CONFIG, ...source.config].join('\n')}\n`, { mode: 0o600 });
    return repository;
  }

  /** The commit that the ref is now, or the tag of it. Throws PlumbError `RefNotFound` (terminal), `GitUnavailable` (retry). */
  async resolve(): Promise<{ revision: string; ref: string }> {
    const { ref } = this.#job.wanted;
    if (COMMIT.test(ref)) return { revision: ref, ref };
    const names = ref === 'HEAD' || ref.startsWith('refs/') ? [ref] : [`refs/heads/${ref}`, `refs/tags/${ref}`];
    const asked = names.flatMap((name) => [name, `${name}^{}`]);
    const listed = await this.#told(['ls-remote', '--quiet', '--', this.#source.url, ...asked]);
    const found = new Map(
      listed.split('\n').flatMap((line) => {
        const [id = '', name = ''] = line.split('\t');
        return COMMIT.test(id) ? [[name, id] as const] : [];
      }),
    );
    for (const name of names) {
      const id = found.get(`${name}^{}`) ?? found.get(name);
      if (id !== undefined) return { revision: id, ref: name };
    }
    throw new PlumbError({
      reason: 'RefNotFound',
      message: `the repository has no branch or tag ${ref}: see spec.ref`,
      retry: 'terminal',
    });
  }

  /** Brings the commit of the ref, and what came before it. Returns the commit that came. */
  async fetch(ref: string): Promise<string> {
    await this.#told(['init', '--quiet', '--bare', '--template=', this.#folder]);
    const { gitCommits, gitRepositoryMiB } = this.#job.limits;
    const refusing = ['--no-tags', '--no-write-fetch-head', '--no-recurse-submodules', '--no-auto-maintenance'];
    const what = ['--quiet', `--depth=${gitCommits}`, '--', this.#source.url, `+${ref}:${TARGET}`];
    const ran = await this.#git(['fetch', ...refusing, ...what]);
    if (ran.code !== 0 && (ran.killed === 'SIGXFSZ' || /file too large|signal 25/i.test(ran.said)))
      throw unusable(`the repository is larger than ${gitRepositoryMiB} MiB (gitRepositoryMiB)`);
    this.#expect(ran);
    return (await this.#told(['rev-parse', '--verify', '--end-of-options', `${TARGET}^{commit}`])).trim();
  }

  /** Whether the commit descends from the other one, as far as what was fetched tells it. */
  async descends(revision: string, from: string): Promise<boolean> {
    if (!COMMIT.test(from)) return false;
    const { code } = await this.#git(['merge-base', '--is-ancestor', from, revision]);
    return code === 0;
  }

  /** Every file of the commit, at most `gitFiles`, at most `gitFolderDepth` deep. Throws terminal `CommitRefused`. */
  async entries(revision: string, path: string): Promise<TreeEntry[]> {
    const tree = `${revision}:${path}`;
    const { code, stdout } = await this.#git(['cat-file', '-t', tree]);
    if (code !== 0 || stdout.toString('latin1').trim() !== 'tree')
      throw unusable(`there is no folder ${path} in it: see spec.path`);
    const { gitFiles, gitFolderDepth } = this.#job.limits;
    const found: TreeEntry[] = [];
    let rest = Buffer.alloc(0);
    const ran = await this.#git(['ls-tree', '-r', '-l', '-z', '--full-tree', tree], (chunk) => {
      const text = Buffer.concat([rest, chunk]);
      let from = 0;
      for (let end = text.indexOf(0, from); end >= 0; end = text.indexOf(0, from)) {
        const entry = entryOf(text.subarray(from, end));
        if (entry.path.split('/').length > gitFolderDepth)
          throw unusable(`it has more than ${gitFolderDepth} folders within each other (gitFolderDepth)`);
        found.push(entry);
        if (found.length > gitFiles) throw unusable(`it has more than ${gitFiles} files (gitFiles)`);
        from = end + 1;
      }
      rest = text.subarray(from);
      if (rest.length > MOST_NAME) throw unusable('it has a file with a name that is too long');
    });
    this.#expect(ran);
    return found;
  }

  /** What is in the files, in their order. */
  async contents(entries: readonly TreeEntry[]): Promise<Buffer[]> {
    if (entries.length === 0) return [];
    const chunks: Buffer[] = [];
    let size = 0;
    const most = entries.reduce((sum, { bytes }) => sum + bytes + 200, 0);
    const ran = await this.#git(
      ['cat-file', '--batch', '--buffer'],
      (chunk) => {
        size += chunk.length;
        if (size > most) throw unusable('its files are larger than they were said to be');
        chunks.push(chunk);
      },
      `${entries.map(({ id }) => id).join('\n')}\n`,
    );
    this.#expect(ran);
    const all = Buffer.concat(chunks);
    let at = 0;
    return entries.map(({ path, bytes }) => {
      const line = all.indexOf(0x0a, at);
      const [, type, length] = all.toString('latin1', at, line).split(' ');
      if (line < 0 || type !== 'blob' || Number(length) !== bytes) throw unusable(`${path} cannot be read`);
      at = line + 1 + bytes + 1;
      return all.subarray(line + 1, line + 1 + bytes);
    });
  }

  async #told(args: readonly string[]): Promise<string> {
    const ran = await this.#git(args);
    this.#expect(ran);
    return ran.stdout.toString('utf8');
  }

  #expect({ code, killed, said }: Ran): void {
    if (code === 0) return;
    const { url } = this.#job.wanted;
    const why = said.replaceAll(/^(?:fatal|error|warning): /gm, '').split('\n', 1)[0];
    throw unavailable(url, why || `git ended (${killed ?? code})`);
  }

  #git(args: readonly string[], onOutput?: Program['onOutput'], input?: string): Promise<Ran> {
    const { limits, scratch } = this.#job;
    const protocol = ['-c', `protocol.${this.#source.protocol}.allow=always`];
    return run({
      command: 'git',
      args: [...protocol, ...args],
      env: this.#env,
      cwd: scratch,
      memoryMiB: limits.gitMemoryMiB,
      fileBytes: limits.gitRepositoryMiB * MIB,
      signal: this.#signal,
      ...(onOutput ? { onOutput } : {}),
      ...(input === undefined ? {} : { input }),
    });
  }
}

const MOST_NAME = 64 * 1024;

/** `100644 blob <id> <bytes>\t<path>` */
function entryOf(line: Buffer): TreeEntry {
  const tab = line.indexOf(0x09);
  const [mode = '', , id = '', size = ''] = line.toString('latin1', 0, tab).split(/ +/);
  const path = pathOf(line.subarray(tab + 1));
  const type = mode === '160000' ? 'submodule' : mode === '120000' ? 'link' : 'file';
  return { path, type, id, bytes: type === 'submodule' ? 0 : Number(size) };
}

function pathOf(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw unusable('it has a file whose name is not UTF-8');
  }
}
