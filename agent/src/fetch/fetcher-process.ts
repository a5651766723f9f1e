/** Starts the process that fetches images: with no right, no file of the agent's, and of the environment what it needs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { Duplex } from 'node:stream';
import type { SourceRulesInit } from '@plumb/schemas/sources/source-rules.ts';
import type { User } from '@plumb/schemas/sources/users.ts';

/** What the process is told first. */
export interface FetcherSetup {
  rules: SourceRulesInit;
  /** Folders of images, each open as descriptor `fd` of the process. */
  folders: { named: string; fd: number }[];
}

export interface FetcherProcess {
  child: ChildProcess;
  /** To and from it. */
  channel: Duplex;
  setup: FetcherSetup;
}

const MAIN = join(import.meta.dirname, 'fetcher-main.ts');
/** Standard streams, and the agent's socket. */
const FIRST_FOLDER_FD = 4;
const HEAP_MIB = 64;
const OPEN_FILES = 256;
/** Of the environment: a search path, and what an operator adds to the authorities of web servers. */
const KEPT = ['PATH', 'NODE_EXTRA_CA_CERTS'];
/** It may not write files, dump core, or open many files; nor gain rights, which it needs a moment to give up root. */
const LIMITS = ['--core=0', '--fsize=0', `--nofile=${OPEN_FILES}`];
const UNTIL_IT_IS_NOBODY = '-all,+setuid,+setgid,+dac_read_search';
const O_PATH = 0o10000000;

/** `user`: as whom, where this process is root; undefined where it is not, and the process is as this one. */
export async function startFetcher(rules: SourceRulesInit, user: User | undefined): Promise<FetcherProcess> {
  const opened = await openFolders(rules.folders ?? []);
  try {
    const rights = ['--inh-caps=-all', '--ambient-caps=-all'];
    if (user) rights.push(`--bounding-set=${UNTIL_IT_IS_NOBODY}`);
    const node = [process.execPath, `--max-old-space-size=${HEAP_MIB}`, '--disable-sigusr1', MAIN];
    const whom = user ? [String(user.uid), String(user.gid)] : [];
    const args = [...LIMITS, '--', 'setpriv', '--no-new-privs', ...rights, '--', ...node, ...whom];
    const child = spawn('prlimit', args, {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe', ...opened.map(({ handle }) => handle.fd)],
      env: environment(),
      cwd: '/',
    });
    const folders = opened.map(({ named }, index) => ({ named, fd: FIRST_FOLDER_FD + index }));
    return { child, channel: child.stdio[3] as Duplex, setup: { rules, folders } };
  } finally {
    for (const { handle } of opened) await handle.close();
  }
}

function environment(): NodeJS.ProcessEnv {
  const kept = KEPT.flatMap((name) => (process.env[name] ? [[name, process.env[name]]] : []));
  // A ring that was made as root would go on as root (CVE-2024-22017).
  return { ...Object.fromEntries(kept), UV_USE_IO_URING: '0' };
}

/** By the agent, who may pass the folders above them; the process may not. One that is missing holds no image. */
async function openFolders(folders: readonly string[]): Promise<{ named: string; handle: FileHandle }[]> {
  const opened: { named: string; handle: FileHandle }[] = [];
  for (const named of folders) {
    const handle = await open(named, O_PATH | constants.O_DIRECTORY).catch(() => undefined);
    if (handle) opened.push({ named, handle });
  }
  return opened;
}
