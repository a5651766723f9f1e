import { mkdir, readFile, rename, rm, rmdir, stat, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { Clock, Thing } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import type { Run } from '../host/command.ts';
import { runInNetwork } from '../host/command.ts';
import { nothingThere, requireSafeId } from '../host/records.ts';
import type { DhcpFiles } from './dhcp.ts';
import { dnsmasqArgs, hostsFile, leaseFile } from './dhcp.ts';

const MAX_LOG_BYTES = 1024 * 1024;
const LOOK_AGAIN_MS = 10;
const END_WITHIN_MS = 3_000;

/**
 * One dnsmasq per subnet, which outlives the agent. Its files are under /run, where its unprivileged user can read
 * them whatever the data folder's parents allow, and where they end with the processes that they speak of.
 */
export class Dnsmasq {
  readonly #root: string;
  readonly #run: Run;
  readonly #clock: Clock;

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
    subnet: Thing<'subnet'>,
    ports: readonly Thing<'port'>[],
    namespace: string,
    leg: number,
  ): Promise<void> {
    const files = this.#files(subnet.id);
    const args = dnsmasqArgs(subnet, files);
    await mkdir(this.#dir(subnet.id), { recursive: true, mode: 0o755 });
    const rewritten = [
      await replaceFile(files.leases, leaseFile(ports)),
      await replaceFile(files.hosts, hostsFile(ports, subnet.spec.domain)),
    ];
    const pid = await this.#pid(subnet.id);
    if (pid !== undefined && (await runsWith(pid, args, leg))) {
      if (rewritten.includes(true)) signal(pid, 'SIGHUP');
      return;
    }
    await this.#end(subnet.id);
    await runInNetwork(namespace, this.#run)('env', [legMark(leg), 'dnsmasq', ...args]);
  }

  /** How it differs from what it should be, as sentences. */
  async drift(subnet: Thing<'subnet'>, leg: number): Promise<string[]> {
    const pid = await this.#pid(subnet.id);
    if (pid === undefined) return ['its DHCP server does not run'];
    if (!(await runsWith(pid, dnsmasqArgs(subnet, this.#files(subnet.id)), leg)))
      return ['its DHCP server runs with other settings or on a leg that is gone'];
    await this.#boundLog(subnet.id);
    return [];
  }

  /** The lines of the lease file as it is. */
  async leases(subnetId: string): Promise<Set<string>> {
    return new Set((await readFile(this.#files(subnetId).leases, 'utf8').catch(nothingThere(''))).split('\n'));
  }

  async remove(subnetId: string): Promise<void> {
    await this.#end(subnetId);
    await rm(this.#dir(subnetId), { recursive: true, force: true });
    // The last one takes the folders along; where others are left, the folders are not empty.
    for (const folder of [this.#root, dirname(this.#root)]) await rmdir(folder).catch(() => {});
  }

  #dir(subnetId: string): string {
    requireSafeId(subnetId);
    return join(this.#root, subnetId);
  }

  #files(subnetId: string): DhcpFiles {
    const dir = this.#dir(subnetId);
    return { pid: join(dir, 'pid'), leases: join(dir, 'leases'), hosts: join(dir, 'hosts'), log: join(dir, 'log') };
  }

  /** The process that the pid file names, if it is a dnsmasq with this very pid file. */
  async #pid(subnetId: string): Promise<number | undefined> {
    const { pid: path } = this.#files(subnetId);
    const pid = Number((await readFile(path, 'utf8').catch(nothingThere(''))).trim());
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

  async #boundLog(subnetId: string): Promise<void> {
    const { log } = this.#files(subnetId);
    const found = await stat(log).catch(nothingThere(undefined));
    if (found !== undefined && found.size > MAX_LOG_BYTES) await truncate(log, 0);
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (thrown) {
    if ((thrown as NodeJS.ErrnoException).code !== 'ESRCH') throw thrown; // It ended by itself.
  }
}

/** Writes the file whole or not at all. False when it had this content already. */
async function replaceFile(path: string, content: string): Promise<boolean> {
  if ((await readFile(path, 'utf8').catch(nothingThere(undefined))) === content) return false;
  await writeFile(`${path}.half`, content, { mode: 0o644 });
  await rename(`${path}.half`, path);
  return true;
}

async function runsWith(pid: number, args: string[], leg: number): Promise<boolean> {
  const environment = await readFile(`/proc/${pid}/environ`, 'utf8').catch(() => '');
  const sameArgs = (await commandLine(pid)).slice(1).join('\0') === args.join('\0');
  return sameArgs && environment.split('\0').includes(legMark(leg));
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
