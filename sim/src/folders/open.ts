/** Opens a kept data folder with the server and the agents of today, beside the hosts as they were. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { SimulatedHost } from '@plumb/agent/drivers/simulated/simulated-host.ts';
import { runAgent } from '@plumb/agent/main.ts';
import { clientFor, findAccess } from '@plumb/client/access.ts';
import type { Client } from '@plumb/client/client.ts';
import { serve } from '@plumb/reconciler/main.ts';
import { inFull } from '@plumb/reconciler/store/sqlite-words.ts';
import { type Ambient, type LiveResource, realAmbient } from '@plumb/schemas';
import type { Judged } from '../oracle/judged.ts';
import { Rules, unruly } from './unruly.ts';

interface KeptHost {
  name: string;
  tunnelAddress: string;
  lives: LiveResource[];
  /** How often each of its guests was started, by domain. */
  boots: Record<string, number>;
}

export interface Unpacked {
  folder: string;
  /** Where the store is: its rows can be read at any time, also while a server has it. */
  store: string;
  hosts: KeptHost[];
  /** Uids by the names of scenes. */
  uids: Map<string, string>;
  [Symbol.dispose](): void;
}

export const testdata = join(import.meta.dirname, 'testdata');

/** Names of what is kept: the commits. */
export function keptFolders(): string[] {
  return readdirSync(testdata).map((file) => file.replace('.tar.gz', ''));
}

export function unpack(commit: string): Unpacked {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-old-'));
  execFileSync('tar', ['-xzf', join(testdata, `${commit}.tar.gz`), '--no-same-owner', '-C', folder]);
  // Nobody else may read or write there, whatever the umask: the server checks.
  for (const name of readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true }))
    chmodSync(join(name.parentPath, name.name), name.isDirectory() ? 0o700 : 0o600);
  const read = (name: string) => JSON.parse(readFileSync(join(folder, name), 'utf8'));
  const scenes = read('scenes.json') as { name: string; uid: string }[];
  return {
    folder,
    store: join(folder, 'server', 'store', 'store.db'),
    hosts: read('hosts.json') as KeptHost[],
    uids: new Map(scenes.map(({ name, uid }) => [name, uid])),
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
}

/** Everything that the store holds now. */
export function entriesOf(store: string): Map<string, { value: string }> {
  const db = new DatabaseSync(store);
  try {
    const rows = db
      .prepare('SELECT e.key, v.value FROM entries e JOIN versions v ON v.id = e.id WHERE e.live = 1')
      .all();
    return new Map(rows.map(({ key, value }) => [key as string, { value: inFull(value as string) }]));
  } finally {
    db.close();
  }
}

export interface Opened extends AsyncDisposable {
  client: Client;
  rules: Rules;
  hosts: ReadonlyMap<string, SimulatedHost>;
  /** What the server and the agents said. */
  log: string[];
  /** The store and the hosts as they are now. */
  judged(): Judged;
}

export async function openFolder(unpacked: Unpacked, rules = new Rules()): Promise<Opened> {
  await using begun = new AsyncDisposableStack();
  const ambient = realAmbient();
  const log: string[] = [];
  const dataDir = join(unpacked.folder, 'server');
  const fatal: unknown[] = [];
  const server = await serve({
    ...{ dataDir, listen: { host: '127.0.0.1', port: 0 }, ambient: hurried(ambient) },
    log: (level, line) => log.push(`${level} ${line}`),
    onFatal: (error) => fatal.push(error),
  });
  begun.defer(() => server.close());
  const client = clientFor(await findAccess(server.kubeconfigFile, {}), ambient);
  begun.defer(() => client.close());
  const hosts = unpacked.hosts.map(({ name, tunnelAddress, lives }) => {
    const host = hostWith(lives);
    return { name, tunnelAddress, host, driver: unruly(host, rules) };
  });
  for (const [folder, own] of [
    ['agent', hosts.filter(({ name }) => name !== 'sim-3')],
    ['away', hosts.filter(({ name }) => name === 'sim-3')],
  ] as const) {
    const agent = await runAgent({
      ...{ server: server.url, hosts: own, ambient, streams: own.length },
      tokenFile: join(dataDir, 'join-token'),
      dataDir: join(unpacked.folder, folder),
      log: (line) => log.push(`agent ${line}`),
    });
    begun.defer(() => agent.stop());
  }
  const machines = new Map(hosts.map(({ name, host }) => [name, { name, resources: () => host.resources }]));
  const running = begun.move();
  return {
    ...{ client, rules, log, hosts: new Map(hosts.map(({ name, host }) => [name, host])) },
    judged: () => ({
      ...{ machines, restored: false, skew: { ms: 0 }, loop: { now: ambient.clock.now() } },
      disk: { entries: entriesOf(unpacked.store) },
    }),
    [Symbol.asyncDispose]: () => running.disposeAsync(),
  };
}

/** What is done once a minute or more seldom is done a minute's worth sooner: each second. */
function hurried(ambient: Ambient): Ambient {
  const after: Ambient['clock']['after'] = (ms, run) => ambient.clock.after(ms >= 60_000 ? ms / 60 : ms, run);
  return { ...ambient, clock: { ...ambient.clock, after } };
}

/** A host on which these live; guests that ended are off. */
function hostWith(lives: readonly LiveResource[]): SimulatedHost {
  const { clock, random } = realAmbient();
  const host = new SimulatedHost({ clock, random, cpus: 64, memoryMiB: 65536, carries: () => lives });
  for (const live of lives)
    if (live.kind === 'domain' && live.spec.power === 'Running' && live.domain?.state === 'off')
      host.kill(live.id, live.domain.reason as 'crashed');
  return host;
}
