/** A disk that really fills up: a small file system in memory, mounted for the test. */
import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type HostResource, realAmbient } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { DomainTrace } from '../drivers/libvirt/domain/trace.ts';
import { whyNoRealHost } from '../drivers/libvirt/real-host.ts';
import { sourceOpener } from '../fetch/open-source.ts';
import { run } from '../host/command.ts';
import { Records } from '../host/records.ts';
import { Identity } from '../identity/identity.ts';
import { withSpares } from '../identity/spare-file.ts';
import { Disks } from './disks.ts';
import { Images } from './images.ts';
import { Seeds } from './seeds.ts';

const missing = await whyNoRealHost();
const self = { uid: process.getuid!(), gid: process.getgid!() };
const full = { reason: 'NoSpace', retry: 'retry' };

describe.skipIf(missing !== undefined)('storage on a full disk', () => {
  let folder: string;
  let dataDir: string;
  let images: Images;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plumb-full-'));
    dataDir = join(folder, 'data');
    await mkdir(dataDir);
    await run('mount', ['-t', 'tmpfs', '-o', 'size=1m', 'tmpfs', dataDir]);
    const openSource = sourceOpener({ rules: new SourceRules({ folders: [folder] }) });
    images = new Images({ dataDir, openSource, clock: realAmbient().clock, limits: defaultAgentLimits, user: self });
    await images.open();
  });
  afterEach(async () => {
    await run('umount', [dataDir]);
    await rm(folder, { recursive: true });
  });

  async function image(bytes: number): Promise<HostResource<'image'>> {
    const content = Buffer.alloc(bytes, 'x');
    const file = join(folder, `image-${bytes}`);
    await writeFile(file, content);
    const sha256 = createHash('sha256').update(content).digest('hex');
    const spec = { url: pathToFileURL(file).href, sha256, format: 'raw', maxBytes: 1e9 } as const;
    return { kind: 'image', id: sha256, owner: 'someone', spec };
  }
  const files = async () => {
    const found = await readdir(dataDir, { recursive: true });
    const stats = await Promise.all(
      found.map(async (name) => ((await stat(join(dataDir, name))).isFile() ? [name] : [])),
    );
    return stats.flat();
  };
  const fill = () => writeFile(join(dataDir, 'ballast'), Buffer.alloc(2 * 1024 * 1024)).catch(() => {});

  test('an image that does not fit leaves nothing, and fits when there is space', async () => {
    await expect(images.ensure(await image(2_000_000))).rejects.toMatchObject(full);
    expect(await files()).toEqual([]);
    await images.ensure(await image(1000));
  });

  test('what an agent obeys is written, a term after another, and traces of guests stop nothing', async () => {
    const { ids } = realAmbient();
    const identity = await Identity.load(dataDir, 'host-1', ids, withSpares());
    await identity.raiseTerm(1);
    await fill();
    for (let term = 2; term < 8; term++) await identity.raiseTerm(term);
    expect((await Identity.load(dataDir, 'host-1', ids, withSpares())).highestTerm).toBe(7);
    const trace = new DomainTrace(dataDir);
    await trace.rememberStop('a', 'crashed');
    await trace.rememberForeign('a', ['/x']);
    expect([await trace.stopReason('a'), await trace.foreignFiles('a')]).toEqual(['crashed', ['/x']]);
    await trace.remove('a');
  });

  test('disks, seeds and records that do not fit leave nothing', async () => {
    const base = await image(1000);
    await images.ensure(base);
    const disks = new Disks({ dataDir, run, images, user: self, growLive: async () => false });
    const seeds = new Seeds(dataDir, run, self);
    await disks.open();
    await seeds.open();
    const before = await files();
    await fill();
    const disk: HostResource<'disk'> = {
      kind: 'disk',
      id: 'a.root',
      owner: 'a',
      spec: { image: base.id, imageFormat: 'raw' },
    };
    await expect(disks.ensure(disk)).rejects.toMatchObject(full);
    const spec = { instanceId: 'a', hostname: 'a', sshKeys: [] };
    await expect(seeds.ensure({ kind: 'seed', id: 'a.seed', owner: 'a', spec })).rejects.toMatchObject(full);
    const records = new Records(dataDir, 'seed');
    await expect(records.put({ kind: 'seed', id: 'a.seed', owner: 'a', spec })).rejects.toMatchObject(full);
    await rm(join(dataDir, 'ballast'));
    expect(await files()).toEqual(before);
    await disks.ensure(disk);
    expect((await disks.observe())[0]?.drift).toEqual([]);
  });
});
