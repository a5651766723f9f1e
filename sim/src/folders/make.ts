/**
 * Makes the data folders of old versions that `folders.test.ts` opens: really runs the server and the agents of a commit, lets
 * hosts hang and fail at chosen steps, ends everything with SIGKILL, and keeps what is then on the disk.
 *
 *   node sim/src/folders/make.ts COMMIT…      writes sim/src/folders/testdata/COMMIT.tar.gz
 *
 * Keys and tokens in there were made for this, and are of use nowhere else.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, cpSync, mkdirSync, mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clientFor, findAccess } from '@plumb/client/access.ts';
import type { Client } from '@plumb/client/client.ts';
import { realAmbient } from '@plumb/schemas';
import { checkout } from '../../../scripts/checkout.ts';
import { run } from '../../../scripts/run.ts';
import { type Ask, Estate } from './estate.ts';
import { scenes } from './scenario.ts';

const here = import.meta.dirname;
/** What a fixture may have. */
const MOST_BYTES = 200 * 1024;

for (const commit of process.argv.slice(2)) await make(commit);

async function make(commit: string): Promise<void> {
  const tree = await checkout(commit);
  for (const file of ['hosts.ts', 'unruly.ts']) copyFileSync(join(here, file), join(tree, 'sim/src', file));
  const folder = mkdtempSync(join(tmpdir(), 'plumb-folder-'));
  const children: ChildProcess[] = [];
  try {
    const dataDir = join(folder, 'server');
    const port = await freePort();
    const server = start(join(tree, 'bin/plumb.ts'), 'server', '--data-dir', dataDir, '--listen', `127.0.0.1:${port}`);
    children.push(server);
    await said(server, /\bis ready\b/);
    const url = `https://127.0.0.1:${port}`;
    const agents = ['agent', 'away'].map((name, index) => {
      const own = index === 0 ? ['sim-1=198.18.0.1', 'sim-2=198.18.0.2'] : ['sim-3=198.18.0.3'];
      const args = [url, join(dataDir, 'join-token'), join(folder, name), ...own];
      return start(join(tree, 'sim/src/hosts.ts'), ...args);
    });
    children.push(...agents);
    const estate = new Estate(await clientOf(dataDir), agents.map(talk));
    await estate.declare();
    for (const scene of scenes) await estate.set(scene);
    const away = await estate.all('dump', 1);
    await end(agents[1]!);
    for (const scene of scenes) if (scene.late) await estate.setLate(scene);
    await end(server);
    const hosts = [...(await estate.all('dump', 0)), ...away];
    await end(agents[0]!);
    estate.client.close();
    writeFileSync(join(folder, 'hosts.json'), JSON.stringify(hosts));
    writeFileSync(join(folder, 'scenes.json'), JSON.stringify(estate.list()));
    await keep(commit, folder);
  } finally {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  }
}

async function keep(commit: string, folder: string): Promise<void> {
  const kept = join(here, 'testdata');
  mkdirSync(kept, { recursive: true });
  const file = join(kept, `${commit}.tar.gz`);
  const all = ['server', 'agent', 'away', 'hosts.json', 'scenes.json'];
  await run('tar', ['--sort=name', '--owner=0', '--group=0', '-C', folder, '-cf', `${file}.tar`, ...all], {});
  await run('gzip', ['-9nf', `${file}.tar`], {});
  cpSync(`${file}.tar.gz`, file);
  rmSync(`${file}.tar.gz`);
  const { size } = statSync(file);
  console.log(`${file}: ${size} bytes`);
  if (size > MOST_BYTES) throw new Error(`${file} has ${size} bytes, more than ${MOST_BYTES}`);
}

function start(...args: string[]): ChildProcess {
  return spawn(process.execPath, args, { stdio: ['pipe', 'pipe', 'pipe'] });
}

function said(child: ChildProcess, line: RegExp): Promise<void> {
  return new Promise((resolve, reject) => {
    let all = '';
    for (const stream of [child.stdout!, child.stderr!])
      createInterface({ input: stream }).on('line', (text) => {
        all += `${text}\n`;
        if (line.test(text)) resolve();
      });
    child.once('exit', (code) => reject(new Error(`ended with ${code}: ${all}`)));
  });
}

/** Questions and answers of a process with hosts, each a line. */
function talk(child: ChildProcess): Ask {
  const waiting: ((answer: never) => void)[] = [];
  createInterface({ input: child.stdout! }).on('line', (line) => waiting.shift()!(JSON.parse(line) as never));
  let errors = '';
  child.stderr!.on('data', (text: Buffer) => {
    errors = (errors + text).slice(-5_000);
  });
  return (request, argument) => {
    if (child.exitCode !== null) throw new Error(`the hosts ended: ${errors}`);
    if (child.signalCode !== null) return Promise.resolve([] as never);
    child.stdin!.write(`${JSON.stringify([request, argument ?? null])}\n`);
    return new Promise((resolve) => waiting.push(resolve));
  };
}

/** As a power cut does. */
async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function clientOf(dataDir: string): Promise<Client> {
  return clientFor(await findAccess(join(dataDir, 'kubeconfig'), {}), realAmbient());
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  server.close();
  return port;
}
