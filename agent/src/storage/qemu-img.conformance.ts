/** What qemu-img itself says of images that a header cannot tell from good ones, asked as a user without rights. */
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { FETCH_USER, findUser } from '@plumb/schemas/sources/users.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoRealHost } from '../drivers/libvirt/real-host.ts';
import { run } from '../host/command.ts';
import { giveToQemu } from '../host/qemu-user.ts';
import { requireUsable } from './image-content.ts';
import { createClone, growDisk, inspector } from './qemu-img.ts';

const missing = await whyNoRealHost();

describe.skipIf(missing !== undefined)('qemu-img', () => {
  const spec: HostResource<'image'>['spec'] = {
    ...{ url: 'https://example.org/a.qcow2', sha256: 'a'.repeat(64), format: 'qcow2', maxBytes: 2 ** 40 },
  };
  let folder: string;
  let good: Buffer;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'plumb-qemu-img-'));
    const path = join(folder, 'good.qcow2');
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', path, '1G']);
    good = await readFile(path);
  });
  afterAll(() => rm(folder, { recursive: true }));

  async function inspect(bytes: Buffer): Promise<void> {
    const path = join(folder, 'image.half');
    await rm(path, { force: true });
    await writeFile(path, bytes, { mode: 0o600 });
    await inspector(run, () => findUser(FETCH_USER))(spec, path);
  }

  test('takes a good one', async () => {
    await inspect(good);
  });

  test.each<[string, (bytes: Buffer) => Buffer | undefined]>([
    ['a first table in no place', (bytes) => void bytes.writeBigUInt64BE(0x123n, 40)],
    ['a first table that is too small', (bytes) => void bytes.writeUInt32BE(0, 36)],
    ['a first table beyond the end', (bytes) => void bytes.writeBigUInt64BE(1n << 40n, 40)],
    ['counts beyond the end', (bytes) => void bytes.writeBigUInt64BE(1n << 60n, 48)],
    ['counts that are too wide', (bytes) => void bytes.writeUInt32BE(20, 96)],
    ['a header that is too long', (bytes) => void bytes.writeUInt32BE(1 << 20, 100)],
    ['too many snapshots', (bytes) => void bytes.writeUInt32BE(2 ** 31, 60)],
    ['a file that was cut', (bytes) => bytes.subarray(0, 200)],
  ])('refuses %s for good, and names no path', async (_what, change) => {
    const copy = Buffer.from(good);
    const bytes = change(copy) ?? copy;
    requireUsable(spec, bytes.subarray(0, 4096), bytes.length); // Its header alone does not tell.
    const failure = inspect(bytes);
    await expect(failure).rejects.toMatchObject({ reason: 'ImageInvalid', retry: 'terminal' });
    await expect(failure).rejects.not.toThrow(/\/dev|\/tmp|image\.half/);
    await expect(failure).rejects.toThrow(/^the image at https:\/\/example\.org\/a\.qcow2 cannot be used: qemu-img/);
  });

  test('makes and grows clones without a look at what they are clones of', async () => {
    const base = join(folder, 'base.img');
    const clone = join(folder, 'clone.qcow2');
    await writeFile(base, 'no qcow2 at all');
    await createClone(run, clone, { path: base, format: 'qcow2' }, 1024 ** 2);
    const user = { uid: 64055, gid: 64055 };
    await giveToQemu(clone, user);
    await growDisk(run, clone, 4 * 1024 ** 2, user);
    expect(await stat(clone)).toMatchObject({ uid: user.uid, gid: user.gid });
    const header = (await readFile(clone)).subarray(0, 4096);
    expect(Number(header.readBigUInt64BE(24))).toBe(4 * 1024 ** 2);
    expect(header.toString('latin1')).toContain(base);
  });

  test('grows no other file, whatever a disk says of itself', async () => {
    const clone = join(folder, 'crafted.qcow2');
    const other = join(folder, 'other');
    await writeFile(other, 'somebody else’s', { mode: 0o600 });
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-o', `data_file=${other},data_file_raw=on`, clone, '1M']);
    await writeFile(other, 'somebody else’s', { mode: 0o600 });
    const user = { uid: 64055, gid: 64055 };
    await giveToQemu(clone, user);
    await expect(growDisk(run, clone, 4 * 1024 ** 2, user)).rejects.toThrow(/Permission denied/);
    expect(await readFile(other, 'utf8')).toBe('somebody else’s');
  });
});
