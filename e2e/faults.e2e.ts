/** Whatever ends in the middle, by kill -9 or for want of disk: started again, it comes to the same end and loses nothing. */
import { mkdir, open, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlumbObject } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLUMB } from '../scripts/control-plane.ts';
import type { Quickstart } from '../scripts/quickstart.ts';
import { run } from '../scripts/run.ts';
import { NODE } from '../scripts/setup.ts';
import { networkNamespaceWith } from '../scripts/start/network.ts';
import { GATEWAY, greetFrom } from '../scripts/start/verify.ts';
import { isReady } from './harness/api.ts';
import { Estate, freePort, HOST } from './harness/estate.ts';
import { guests, terraform } from './harness/machinery.ts';
import { estateSession } from './harness/session.ts';

describe.skipIf(!guests || !terraform)('killed in the middle of the quickstart', () => {
  const session = estateSession({ name: 'faults', driver: 'libvirt' });
  let estate: Estate;
  let quickstart: Quickstart;
  beforeAll(async () => {
    estate = session.estate();
    quickstart = await estate.quickstart();
  });

  const greeting = async (address: string) =>
    greetFrom(await networkNamespaceWith(GATEWAY, { agentDir: estate.agentDir, host: HOST }), address);
  const domains = async () => {
    const { stdout } = await run('virsh', ['-q', '-c', estate.libvirtd?.virshUri ?? '', 'list', '--name']);
    return stdout.trim().split('\n').sort();
  };

  const moments = [
    { program: 'server', when: 'the network is being made', kind: 'L3Network', name: 'lab', holds: exists },
    { program: 'server', when: 'an instance was declared', kind: 'Instance', name: 'web-0', holds: exists },
    { program: 'agent', when: 'an instance was declared', kind: 'Instance', name: 'web-1', holds: exists },
    { program: 'server', when: 'an instance runs', kind: 'Instance', name: 'web-0', holds: isReady },
    { program: 'agent', when: 'an instance runs', kind: 'Instance', name: 'web-1', holds: isReady },
  ] as const;

  test.each(moments)('the $program, when $when', async ({ program, kind, name, holds }) => {
    let killed = false;
    const first = quickstart.apply().catch((error: Error) => {
      if (!killed) throw error; // Else it may fail: its server went away.
    });
    await Promise.race([estate.api.until(kind, name, 'there', holds), first.then(() => undefined)]);
    killed = true;
    await estate.kill(program);
    if (program === 'server') await estate.startServer();
    else estate.startAgent();
    await first;
    await quickstart.apply();
    expect(await quickstart.changes()).toBeUndefined();
    expect(await domains()).toEqual(['default.web-0', 'default.web-1']);
    expect(await greeting('10.20.0.11')).toMatch(/^web-0 10\.20\.0\.11 /);
    expect(await greeting('10.20.0.12')).toMatch(/^web-1 10\.20\.0\.12 /);
    await quickstart.destroy();
    expect(await estate.traces()).toEqual([]);
  });

  test('both at once, in the middle of a destroy', async () => {
    await quickstart.apply();
    const first = quickstart.destroy().catch((error: Error) => error);
    await estate.api.until('Instance', 'web-0', 'being deleted', (now) => !now || !!now.metadata.deletionTimestamp);
    await Promise.all([estate.kill('server'), estate.kill('agent')]);
    await estate.start();
    await first;
    await quickstart.destroy();
    expect(await estate.traces()).toEqual([]);
  });

  test('a second server on the same data folder refuses to start', async () => {
    const args = ['server', '--data-dir', estate.serverDir, '--listen', `127.0.0.1:${await freePort()}`];
    const { stderr } = await run(NODE, [PLUMB, ...args], { accept: [1], timeoutMs: 30_000 });
    expect(stderr).toContain(estate.serverDir);
    expect((await estate.api.call('GET', '/readyz')).code).toBe(200);
  });

  test('a server on an empty data folder destroys nothing, and says what it does not know', async () => {
    await quickstart.apply();
    const before = await greeting('10.20.0.11');
    const known = estate.serverDir;
    // A host that joins another control plane gives up the credential of the one before: it is put back below.
    const credential = join(estate.agentDir, 'hosts', `${HOST}.json`);
    const kept = await readFile(credential);
    const move = async (serverDir: string, meanwhile = async () => {}) => {
      await Promise.all([estate.kill('server'), estate.kill('agent')]);
      await meanwhile();
      estate.serverDir = serverDir;
      await estate.start();
    };
    await move(join(estate.folder, 'empty'));
    await estate.api.create({ kind: 'Zone', metadata: { name: 'home' }, spec: {} });
    await estate.api.create({ kind: 'Host', metadata: { name: HOST }, spec: { zone: 'home' } });
    const orphans = (host: PlumbObject | undefined) => (host?.status?.orphans ?? []) as { kind: string; id: string }[];
    const reported = (host: PlumbObject | undefined) => isReady(host) && orphans(host).length > 0;
    const host = await estate.api.until('Host', HOST, 'Ready with orphans', reported);
    const kinds = new Set(orphans(host).map(({ kind }) => kind));
    expect(orphans(host).filter(({ kind }) => kind === 'domain')).toHaveLength(2);
    expect([...kinds].sort()).toEqual(['bridge', 'disk', 'domain', 'image', 'port', 'seed', 'subnet']);
    expect(await domains()).toEqual(['default.web-0', 'default.web-1']);
    expect(await greeting('10.20.0.11')).toBe(before);

    await move(known, () => writeFile(credential, kept));
    await estate.api.until('Host', HOST, 'Ready', isReady);
    expect(await quickstart.changes()).toBeUndefined();
    expect(await greeting('10.20.0.11')).toBe(before);
    await quickstart.destroy();
    expect(await estate.traces()).toEqual([]);
  });
});

describe.skipIf(!guests)('a full disk', () => {
  let estate: Estate;
  let mounted = false;
  beforeAll(async () => {
    estate = await Estate.open({ name: 'disk', driver: 'simulated' });
    await mkdir(estate.serverDir, { recursive: true });
    await run('mount', ['-t', 'tmpfs', '-o', 'size=8m,mode=700', 'tmpfs', estate.serverDir]);
    mounted = true;
    await estate.startServer();
  });
  afterAll(async () => {
    const failed = !mounted;
    if (mounted) await run('umount', ['--lazy', estate.serverDir]);
    await estate?.close(failed);
  });

  test('what cannot be kept is not acknowledged, and what was acknowledged is kept', async () => {
    const declare = (name: string) =>
      estate.api.create({
        kind: 'Zone',
        metadata: { name, annotations: { ballast: 'x'.repeat(20_000) } } as { name: string },
        spec: {},
      });
    const acknowledged: string[] = [];
    const names = async () => (await estate.api.list('Zone')).map(({ metadata }) => metadata.name).sort();

    await fill(join(estate.serverDir, 'ballast'));
    let refused: Awaited<ReturnType<typeof declare>> | undefined;
    for (let i = 1; i <= 500 && refused === undefined; i++) {
      const reply = await declare(`zone-${i}`);
      if (reply.code === 201) acknowledged.push(`zone-${i}`);
      else refused = reply;
    }
    expect(refused?.code).toBeGreaterThanOrEqual(500);
    expect(refused?.body.message).toMatch(/store/);
    expect(await names()).toEqual(acknowledged.toSorted());

    await rm(join(estate.serverDir, 'ballast'));
    expect((await declare('after')).code).toBe(201);
    acknowledged.push('after');
    expect(await names()).toEqual(acknowledged.toSorted());

    await estate.kill('server');
    await estate.startServer();
    expect(await names()).toEqual(acknowledged.toSorted());
  });
});

function exists(object: PlumbObject | undefined): boolean {
  return object !== undefined;
}

/** Writes until the file system has no room for another byte. */
async function fill(path: string): Promise<void> {
  const file = await open(path, 'w');
  try {
    for (const size of [65_536, 4_096, 1]) {
      const part = Buffer.alloc(size);
      while (
        await file.write(part).then(
          () => true,
          (error: NodeJS.ErrnoException) => {
            if (error.code !== 'ENOSPC') throw error;
            return false;
          },
        )
      );
    }
  } finally {
    await file.close();
  }
}
