/**
 * A private libvirtd: it needs neither systemd nor dbus, does not depend on how the machine's own is configured, never
 * meets its guests, and writes nothing under /etc. In a mount namespace of its own, libvirt's folders are bound to a
 * folder of ours. Guests outlive their libvirtd; the next one with the same folder finds them again.
 */

import { chmod, copyFile, mkdir, readdir, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { accountBinds, closedFolder, VIEW_SCRIPT } from './libvirtd-view.ts';
import { endProcess, isRunning, type ProcessRecord, type Started, startProcess } from './processes.ts';
import { lastLines, run } from './run.ts';

export interface Libvirtd {
  /** Path of its socket, for programs. */
  socket: string;
  /** For `virsh -c`. */
  virshUri: string;
  /** Ends it; its guests run on. */
  stop(): Promise<void>;
}

/** sun_path in unix(7), with its final NUL. */
const SOCKET_PATH_BYTES = 108;
/** The first start asks every QEMU of the machine what it can do. */
const START_TIMEOUT_MS = 90_000;

/** What libvirt keeps where, and the folder in our state folder that takes its place. */
const FOLDERS = {
  run: '/run/libvirt',
  lib: '/var/lib/libvirt',
  log: '/var/log/libvirt',
  etc: '/etc/libvirt',
  cache: '/var/cache/libvirt',
};

/**
 * Guests run as a user of their own, who owns nothing but what the agent gives him, and with the system calls of QEMU alone.
 * There are no cgroups, labels or log daemons: what needs systemd is left out.
 */
const QEMU_CONF = `user = "libvirt-qemu"
group = "libvirt-qemu"
seccomp_sandbox = 1
dynamic_ownership = 0
remember_owner = 0
security_driver = "none"
namespaces = []
cgroup_controllers = []
stdio_handler = "file"
`;
const LIBVIRTD_CONF = `auth_unix_rw = "none"
unix_sock_rw_perms = "0700"
log_outputs = "3:stderr"
`;

export interface LibvirtdOptions {
  /** Where its state is. */
  folder: string;
  /** Where what it found out about QEMU is kept for the next one, which spares seconds. */
  capabilities: string;
  /** Where guests' disks are: the agent's data folder. Made if it is not there; its parents may be closed to others. */
  files: string;
}

/** A libvirtd of one's own, or the one that already runs in that folder. Needs root and Linux. */
export async function privateLibvirtd({ folder, capabilities, files }: LibvirtdOptions): Promise<Libvirtd> {
  const state = resolve(folder);
  const socket = join(state, 'run/libvirt-sock');
  if (Buffer.byteLength(socket) >= SOCKET_PATH_BYTES)
    throw new Error(`${socket} is too long for the path of a socket: choose a shorter folder`);
  const virshUri = `qemu:///system?socket=${encodeURIComponent(socket).replaceAll('%2F', '/')}`;
  const pidFile = join(state, 'libvirtd.json');
  const running = await readRecord(pidFile);
  if (running && isRunning(running)) {
    if (await answers(virshUri, START_TIMEOUT_MS)) return { socket, virshUri, stop: () => endProcess(running) };
    await endProcess(running);
  }
  await prepare(state, capabilities);
  const started = await start(state, socket, await prepareFiles(files));
  await writeFile(pidFile, JSON.stringify({ pid: started.pid, started: started.started }));
  try {
    if (!(await listens(socket, started)) || !(await answers(virshUri, START_TIMEOUT_MS)))
      throw new Error(`libvirtd did not start; it said:\n${await logTail(state)}`);
    const cpus = await allowedCpus();
    await whileThreadsGo(() => run('taskset', ['-a', '-c', '-p', cpus, `${started.pid}`]));
    await copyFiles(join(state, 'cache/qemu/capabilities'), capabilities);
  } catch (thrown) {
    await endProcess(started);
    throw thrown;
  }
  return { socket, virshUri, stop: () => endProcess(started) };
}

/** Ends every guest that a private libvirtd started, as pulling the plug would. For tests, when all else is gone. */
export async function endGuests(folder: string): Promise<void> {
  const run = join(resolve(folder), 'run/qemu');
  for (const file of await readdir(run).catch(() => [])) {
    if (!file.endsWith('.pid')) continue;
    const pid = Number(await readFile(join(run, file), 'utf8').catch(() => ''));
    const command = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
    if (pid > 1 && command.includes('qemu-system')) process.kill(pid, 'SIGKILL');
  }
}

async function prepare(state: string, capabilities: string): Promise<void> {
  for (const [name, machine] of Object.entries(FOLDERS)) {
    // QEMU passes through them to its own; what libvirtd keeps for itself there it closes itself.
    await mkdir(join(state, name), { recursive: true, mode: 0o711 });
    await chmod(join(state, name), 0o711);
    await mkdir(machine, { recursive: true }); // Something must be there to bind over.
  }
  await writeFile(join(state, 'etc/qemu.conf'), QEMU_CONF);
  const uuidFile = join(state, 'host-uuid');
  const uuid = await readFile(uuidFile, 'utf8').catch(() => crypto.randomUUID());
  await writeFile(uuidFile, uuid);
  await writeFile(join(state, 'etc/libvirtd.conf'), `${LIBVIRTD_CONF}host_uuid = "${uuid}"\n`);
  await copyFiles(capabilities, join(state, 'cache/qemu/capabilities'));
}

/**
 * It starts on one CPU, always the same: libvirt 9 keeps what it found out about QEMU only while the CPU says the same
 * of itself, and leaf 0x1f of CPUID holds the number of the CPU that was asked.
 */
async function start(state: string, socket: string, way: readonly string[]): Promise<Started> {
  await rm(socket, { force: true });
  const cpus = await allowedCpus();
  const folders = Object.entries(FOLDERS).flatMap(([name, machine]) => [join(state, name), machine]);
  const binds = [...folders, ...(await accountBinds(state)), '--', ...way];
  // libvirtd's own lock is a pid file outside of these folders: with one of its own, several can run side by side.
  const lock = join(FOLDERS.run, 'libvirtd.pid');
  const devices = join(state, 'devices');
  await mkdir(devices, { recursive: true, mode: 0o711 });
  const privately = [
    'unshare',
    '-m',
    '--propagation',
    'slave',
    'sh',
    '-c',
    VIEW_SCRIPT,
    'libvirtd',
    lock,
    devices,
    ...binds,
  ];
  return startProcess('taskset', ['-c', `${parseInt(cpus, 10)}`, ...privately], {
    log: join(state, 'libvirtd.log'),
    env: { PATH: `${process.env.PATH}:/usr/sbin:/sbin` },
  });
}

/** The folder, and the way that leads there where it would be closed: arguments of the view's script. */
async function prepareFiles(files: string): Promise<string[]> {
  await mkdir(files, { recursive: true, mode: 0o711 });
  const closed = await closedFolder(files);
  return closed === undefined ? [] : [closed, await realpath(files)];
}

/**
 * True when a connection is accepted; false when libvirtd ended, or the time is over. The socket's file is there before
 * anyone listens on it, and nothing tells of the moment in between: so it is tried, often.
 */
async function listens(socket: string, libvirtd: ProcessRecord): Promise<boolean> {
  for (let waited = 0; waited < START_TIMEOUT_MS && isRunning(libvirtd); waited += 20) {
    const accepted = await new Promise<boolean>((settle) => {
      const probe = connect(socket, () => settle(true)).on('error', () => settle(false));
      probe.on('connect', () => probe.destroy());
    });
    if (accepted) return true;
    await delay(20);
  }
  return false;
}

/** libvirt answers when it has found its guests again and asked every QEMU of the machine what it can do. */
async function answers(uri: string, timeoutMs: number): Promise<boolean> {
  return run('virsh', ['-c', uri, '-q', 'capabilities'], { timeoutMs }).then(
    () => true,
    () => false,
  );
}

const THREADS_GO = 20;

/** Does once more what failed because a thread ended between being listed and being asked, as taskset takes it. */
export async function whileThreadsGo<T>(ask: () => Promise<T>): Promise<T> {
  for (let tries = 1; ; tries++)
    try {
      return await ask();
    } catch (thrown) {
      if (tries === THREADS_GO || !/No such process/.test((thrown as Error).message)) throw thrown;
    }
}

/** The CPUs that this process may use, as `taskset -c` takes them: `0-1`. */
async function allowedCpus(): Promise<string> {
  const status = await readFile('/proc/self/status', 'utf8');
  return status.match(/^Cpus_allowed_list:\s*(\S+)/m)?.[1] ?? '0';
}

async function readRecord(file: string): Promise<ProcessRecord | undefined> {
  const text = await readFile(file, 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as ProcessRecord);
}

async function logTail(state: string): Promise<string> {
  return lastLines((await readFile(join(state, 'libvirtd.log'), 'utf8').catch(() => '')).trim(), 10);
}

async function copyFiles(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true });
  for (const name of await readdir(from).catch(() => [])) await copyFile(join(from, name), join(to, name));
}

if (import.meta.main) {
  const [folder = '.plumb/libvirt', files = '.plumb/agent'] = process.argv.slice(2);
  const capabilities = join(import.meta.dirname, '../.cache/libvirt');
  const libvirtd = await privateLibvirtd({ folder, capabilities, files });
  console.log(`${libvirtd.socket}\n${libvirtd.virshUri}`);
  process.exit(0);
}
