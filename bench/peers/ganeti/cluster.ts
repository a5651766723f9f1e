import { chmodSync, cpSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../../../scripts/run.ts';

/** A cluster of one host, inside the namespaces that this process has to itself. */
export interface GanetiCluster {
  /** Runs one of Ganeti's commands on the master. Resolves with what it printed. */
  command(...args: string[]): Promise<string>;
  /** Folder of the fake hypervisor: a file for each instance that runs. */
  instances: string;
  /** For files that commands are to read: its path here, and as the commands see it. */
  shared: [string, string];
}

export const HOST = 'node1.ganeti.test';
export const OS = 'noop+default';
const CLUSTER = 'cluster.ganeti.test';
const BRIDGE = 'gnt0';
const HOSTS = `127.0.0.1 localhost\n10.99.0.1 ${HOST}\n10.99.0.2 ${CLUSTER}\n`;
const ENVIRONMENT = ['PATH=/usr/sbin:/usr/bin:/sbin:/bin', 'LC_ALL=C.UTF-8', 'HOME=/root'];

/** Bounds that do not bind: instances are small, and the machine's own memory is what the fake hypervisor reports. */
const LEAST = 'memory-size=16,cpu-count=1,disk-size=16,disk-count=0,nic-count=0,spindle-use=0';
const MOST = 'memory-size=32768,cpu-count=8,disk-size=1048576,disk-count=16,nic-count=8,spindle-use=12';
const INIT = [
  // One host, no other to log into.
  ...['--no-ssh-init', '--no-etc-hosts', `--master-netdev=${BRIDGE}`, '--master-netmask=24', '--primary-ip-version=4'],
  ...['--enabled-hypervisors=fake', '--enabled-disk-templates=diskless', '--nic-parameters=mode=routed,link=main'],
  ...['--backend-parameters=vcpus=1,minmem=16,maxmem=16', `--ipolicy-bounds-specs=min:${LEAST}/max:${MOST}`],
  ...['--ipolicy-vcpu-ratio=100000', '--ipolicy-spindle-ratio=100000'],
];
/** Jobs that run at once; what else is submitted waits in memory. */
const JOBS_AT_ONCE = 50;

/** `root`: of Debian with Ganeti, left as it is; `state`: an empty folder on the disk that is measured. */
export async function initCluster(root: string, state: string): Promise<GanetiCluster> {
  await run('hostname', [HOST]);
  await run('ip', ['link', 'set', 'lo', 'up']);
  await run('ip', ['link', 'add', BRIDGE, 'type', 'bridge']);
  await run('ip', ['link', 'set', BRIDGE, 'up']);
  await run('ip', ['address', 'add', '10.99.0.1/24', 'dev', BRIDGE]);
  await mountAll(root, state);
  const command = async (...args: string[]) =>
    (await run('chroot', [root, 'env', '-i', ...ENVIRONMENT, ...args])).stdout;
  await command('gnt-cluster', 'init', ...INIT, CLUSTER);
  await command('gnt-cluster', 'modify', `--max-running-jobs=${JOBS_AT_ONCE}`, '--max-tracked-jobs=20000');
  return { command, instances: join(root, 'run/ganeti/fake-hypervisor'), shared: [join(root, 'run'), '/run'] };
}

/** What Ganeti writes goes to the disk that is measured, but for /run, which is memory as on any machine. */
async function mountAll(root: string, state: string): Promise<void> {
  for (const folder of ['var/lib/ganeti', 'var/log/ganeti', 'root']) {
    const own = join(state, folder);
    cpSync(join(root, folder), own, { recursive: true, preserveTimestamps: true });
    await run('mount', ['--bind', own, join(root, folder)]);
  }
  const hosts = join(state, 'hosts');
  writeFileSync(hosts, HOSTS);
  await run('mount', ['--bind', hosts, join(root, 'etc/hosts')]);
  await run('mount', ['-t', 'tmpfs', 'run', join(root, 'run')]);
  mkdirSync(join(root, 'run/lock'));
  await run('mount', ['-t', 'proc', 'proc', join(root, 'proc')]);
  await run('mount', ['-t', 'sysfs', 'sys', join(root, 'sys')]);
  // So that processor time is counted of the processes in these namespaces only.
  await run('mount', ['-t', 'proc', 'proc', '/proc']);
  mkdirSync(join(root, 'usr/share/ganeti/os'), { recursive: true });
  await run('mount', ['--bind', operatingSystem(join(state, 'os')), join(root, 'usr/share/ganeti/os')]);
}

/** Ganeti starts no instance without a guest system to install; this one is there and installs nothing. */
function operatingSystem(folder: string): string {
  const own = join(folder, OS.split('+')[0]!);
  mkdirSync(own, { recursive: true });
  for (const script of ['create', 'export', 'import', 'rename', 'verify']) {
    writeFileSync(join(own, script), '#!/bin/sh\nexit 0\n');
    chmodSync(join(own, script), 0o755);
  }
  writeFileSync(join(own, 'ganeti_api_version'), '20\n');
  writeFileSync(join(own, 'variants.list'), `${OS.split('+')[1]}\n`);
  writeFileSync(join(own, 'parameters.list'), '');
  return folder;
}
