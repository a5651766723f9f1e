/** Starts the two programs of Plumb as a person would: `plumb server` and `plumb agent`, each with a log of its own. */
import { readFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Started, startProcess } from './processes.ts';
import { lastLines } from './run.ts';
import { NODE, ROOT } from './setup.ts';

const START_TIMEOUT_MS = 60_000;
/** What the server prints when it serves and has written its files. */
const READY = 'plumb server is ready';

export const PLUMB = join(ROOT, 'bin/plumb.ts');

export interface ServerOptions {
  dataDir: string;
  port: number;
  log: string;
  /** Further options of `plumb server`. */
  more?: readonly string[];
}

export interface AgentOptions {
  server: string;
  tokenFile: string;
  host: string;
  dataDir: string;
  log: string;
  /** Folders whose files may be images. */
  imageFolders: readonly string[];
  /** Socket of libvirt; without one the host is simulated. */
  libvirtSocket?: string | undefined;
  /** Further options of `plumb agent`. */
  more?: readonly string[];
}

export function serverUrl(port: number): string {
  return `https://127.0.0.1:${port}`;
}

/** Resolves when the server says that it is ready. Rejects with the end of its log when it ends before. */
export async function startServer(options: ServerOptions): Promise<Started> {
  const { dataDir, port, log, more = [] } = options;
  if (await isTaken(port)) throw new Error(takenMessage(port));
  const before = (await written(log)).length;
  const args = [PLUMB, 'server', '--data-dir', dataDir, '--listen', `127.0.0.1:${port}`, ...more];
  const started = startProcess(NODE, args, { log });
  let ended: number | NodeJS.Signals | undefined;
  void started.exit.then((why) => {
    ended = why;
  });
  const deadline = performance.now() + START_TIMEOUT_MS;
  // It says so in its log, and nobody is told when: so that is read, often.
  while (!(await written(log)).slice(before).includes(READY)) {
    if (ended !== undefined) throw new Error(`the server ended (${ended}); it said:\n${await tail(log)}`);
    if (performance.now() > deadline) throw new Error(`the server does not get ready; it said:\n${await tail(log)}`);
    await delay(50);
  }
  return started;
}

/** Returns at once: the agent connects when the server lets it, and tries again when it does not. */
export function startAgent(options: AgentOptions): Started {
  const driver = options.libvirtSocket
    ? ['--driver', 'libvirt', '--libvirt-socket', options.libvirtSocket]
    : ['--driver', 'simulated'];
  const where = ['--server', options.server, '--token-file', options.tokenFile, '--data-dir', options.dataDir];
  const images = options.imageFolders.flatMap((folder) => ['--image-folder', folder]);
  const args = [PLUMB, 'agent', ...where, '--host', options.host, ...driver, ...images, ...(options.more ?? [])];
  return startProcess(NODE, args, { log: options.log });
}

/** The last lines of a log, for an error message. */
export async function tail(log: string, count = 15): Promise<string> {
  return lastLines((await readFile(log, 'utf8').catch(() => '')).trim(), count) || '(nothing)';
}

export function takenMessage(port: number): string {
  return `another program listens on 127.0.0.1:${port} already`;
}

/** Whether anybody listens on the port of this machine's loopback. */
export function isTaken(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(port, '127.0.0.1', () => resolve(true)).on('error', () => resolve(false));
    probe.on('connect', () => probe.destroy());
  });
}

function written(log: string): Promise<string> {
  return readFile(log, 'utf8').catch(() => '');
}
