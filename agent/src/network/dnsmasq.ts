import { createHash } from 'node:crypto';
import { mkdir, readFile, rename, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, HostResource } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import type { Run } from '../host/command.ts';
import { runInNetwork } from '../host/command.ts';
import { isPlain, readPlain } from '../host/plain-file.ts';
import { requireSafeId } from '../host/records.ts';
import type { DhcpFiles } from './dhcp.ts';
import { dnsmasqArgs, hostsFile, leaseFile } from './dhcp.ts';
import { GivenLeases } from './given-leases.ts';
import type { Lease } from './leases.ts';
import { readDeclared, staleLeases } from './leases.ts';
import { boundLog, logLength, readLog } from './server-log.ts';

const LOOK_AGAIN_MS = 10;
const END_WITHIN_MS = 3_000;
const READS_WITHIN_MS = 2_000;
const MOST_PID_BYTES = 64;
/** After DHCPDECLINE dnsmasq keeps an address from its guest for ten minutes, unless it reads its files again. */
const REFUSED = 'disabling DHCP static address';

/**
 * One dnsmasq per subnet, which outlives the agent. Its files are under /run, where its unprivileged user can read
 * them whatever the data folder's parents allow, and where they end with the processes that they speak of.
 */
export class Dnsmasq {
  readonly #root: string;
  readonly #run: Run;
  readonly #clock: Clock;
  /** How much of each subnet's log has been read. */
  readonly #read = new Map<string, number>();

  /** `root`: folder of the driver under /run. `run` runs programs in the host's own network. */
  constructor(root: string, run: Run, clock: Clock) {
    this.#root = root;
    this.#run = run;
    this.#clock = clock;
  }

  /**
   * Has dnsmasq run in the namespace as the subnet declares, with exactly these ports' leases and names. `leg`: the
   * kernel's number of the interface that it listens on.
   */
  async ensure(
    subnet: HostResource<'subnet'>,
    ports: readonly HostResource<'port'>[],
    namespace: string,
    leg: number,
  ): Promise<void> {
    const files = this.#files(subnet.id);
    const args = dnsmasqArgs(subnet, files);
    await mkdir(this.#dir(subnet.id), { recursive: true, mode: 0o755 });
    const [leases, hosts] = [leaseFile(ports), hostsFile(ports, subnet.spec.domain)];
    const before = readDeclared((await readPlain(files.leases)) ?? '');
    await replaceFile(files.leases, leases);
    await replaceFile(files.hosts, hosts);
    const start = () => this.#start(subnet.id, args, namespace, leg);
    const pid = await this.#pid(subnet.id);
    if (pid === undefined || !(await runsWith(pid, args, namespace, leg))) await start();
    else if (await holdsOther(files.loaded, digest(leases, hosts))) await this.#reload(pid, files);
    // An agent that ends between these lines does the reading again.
    await replaceFile(files.loaded, digest(leases, hosts));
    const given = new GivenLeases(files.given, this.#clock);
    const run = runInNetwork(namespace, this.#run);
    if (!(await given.release(subnet, ports, run, staleLeases(before, ports)))) await start();
  }

  /**
   * What a server that runs needs from time to time: leases that are declared no more go, and so do its grudges against
   * addresses that a guest has refused. False when it does not run.
   */
  async tend({ id }: HostResource<'subnet'>): Promise<boolean> {
    const files = this.#files(id);
    const pid = await this.#pid(id);
    if (pid === undefined) return false;
    const { text, end } = await readLog(files.log, this.#read.get(id) ?? 0);
    this.#read.set(id, end);
    if (text.includes(REFUSED)) await this.#reload(pid, files);
    await boundLog(files.log);
    return true;
  }

  /** Has the server read its files, and waits until it has: a guest that asks from now on is answered by them. */
  async #reload(pid: number, { log, leases }: DhcpFiles): Promise<void> {
    const before = await logLength(log);
    signal(pid, 'SIGHUP');
    const deadline = this.#clock.now() + READS_WITHIN_MS;
    while (this.#clock.now() < deadline && !(await readLog(log, before)).text.includes(`read ${leases}`))
      await new Promise<void>((resolve) => this.#clock.after(LOOK_AGAIN_MS, resolve));
  }

  /** Leases that were given and are declared no more. */
  stale(subnetId: string, ports: readonly HostResource<'port'>[]): Promise<Lease[]> {
    return new GivenLeases(this.#files(subnetId).given, this.#clock).stale(ports);
  }

  async #start(subnetId: string, args: string[], namespace: string, leg: number): Promise<void> {
    await this.#end(subnetId);
    await rm(this.#files(subnetId).given, { recursive: true, force: true });
    await runInNetwork(namespace, this.#run)('env', [legMark(leg), 'dnsmasq', ...args]);
  }

  /** How it differs from what it should be, as sentences. */
  async drift(subnet: HostResource<'subnet'>, namespace: string, leg: number): Promise<string[]> {
    const pid = await this.#pid(subnet.id);
    if (pid === undefined) return ['its DHCP server does not run'];
    if (!(await runsWith(pid, dnsmasqArgs(subnet, this.#files(subnet.id)), namespace, leg)))
      return ['its DHCP server runs with other settings, or on a leg or in a namespace that is gone'];
    return [];
  }

  /** The lines of the lease file as it is. */
  async leases(subnetId: string): Promise<Set<string>> {
    return new Set(((await readPlain(this.#files(subnetId).leases)) ?? '').split('\n'));
  }

  async remove(subnetId: string): Promise<void> {
    await this.#end(subnetId);
    await rm(this.#dir(subnetId), { recursive: true, force: true });
    this.#read.delete(subnetId);
    // The last one takes the folders along; where others are left, the folders are not empty.
    for (const folder of [this.#root, dirname(this.#root)]) await rmdir(folder).catch(() => {});
  }

  #dir(subnetId: string): string {
    requireSafeId(subnetId);
    return join(this.#root, subnetId);
  }

  #files(subnetId: string): DhcpFiles {
    const dir = this.#dir(subnetId);
    const file = (name: string) => join(dir, name);
    const [leases, hosts] = [file('leases'), file('hosts')];
    return { pid: file('pid'), leases, hosts, loaded: file('loaded'), given: file('given'), log: file('log') };
  }

  /** The process that the pid file names, if it is a dnsmasq with this very pid file. */
  async #pid(subnetId: string): Promise<number | undefined> {
    const { pid: path } = this.#files(subnetId);
    const pid = Number(((await readPlain(path, { mostBytes: MOST_PID_BYTES })) ?? '').trim());
    if (!Number.isInteger(pid) || pid <= 1) return undefined;
    return (await commandLine(pid)).includes(`--pid-file=${path}`) ? pid : undefined;
  }

  /** Ends it at once: it has nothing to save. Its successor wants the same port, so it must be gone. */
  async #end(subnetId: string): Promise<void> {
    const pid = await this.#pid(subnetId);
    if (pid === undefined) return;
    signal(pid, 'SIGKILL');
    const deadline = this.#clock.now() + END_WITHIN_MS;
    // The kernel tells only a parent that a process ended; anyone else has to look.
    while ((await commandLine(pid)).length > 0) {
      if (this.#clock.now() > deadline) throw retryable('ProcessStuck', `dnsmasq (process ${pid}) does not end`);
      await new Promise<void>((resolve) => this.#clock.after(LOOK_AGAIN_MS, resolve));
    }
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown; // It ended by itself.
  }
}

async function holdsOther(path: string, content: string): Promise<boolean> {
  return (await readPlain(path)) !== content;
}

function digest(...texts: string[]): string {
  return createHash('sha256').update(texts.join('\0')).digest('hex');
}

/** Writes the file whole or not at all, unless it has this content already. */
async function replaceFile(path: string, content: string): Promise<void> {
  if (!(await holdsOther(path, content))) return;
  const half = `${path}.half`;
  // What has these names may be a link or a folder.
  await rm(half, { recursive: true, force: true });
  await writeFile(half, content, { mode: 0o644, flag: 'wx' });
  if (!(await isPlain(path))) await rm(path, { recursive: true, force: true });
  await rename(half, path);
}

async function runsWith(pid: number, args: string[], namespace: string, leg: number): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const sameArgs = (await commandLine(pid)).slice(1).join('\0') === args.join('\0');
  return sameArgs && environment.split('\0').includes(legMark(leg)) && (await isIn(pid, namespace));
}

/** One that was made anew under its name is another: a process of before is still in that one, and so may be a leg. */
async function isIn(pid: number, namespace: string): Promise<boolean> {
  const [own, named] = await Promise.all(
    [`/proc/${pid}/ns/net`, namespace].map((path) => stat(path).catch(() => undefined)),
  );
  return own !== undefined && own.ino === named?.ino && own.dev === named.dev;
}

/** dnsmasq is deaf on an interface that was made anew under the same name: its environment tells which it was. */
function legMark(leg: number): string {
  return `PLUMB_LEG=${leg}`;
}

/** Words of a process's command line; none when it is gone or only waits to be buried. */
async function commandLine(pid: number): Promise<string[]> {
  const text = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  return text === '' ? [] : text.replace(/\0$/, '').split('\0');
}
