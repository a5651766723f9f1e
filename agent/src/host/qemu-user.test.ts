import { link, mkdtemp, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { giveToQemu, letQemuRead, withOwnGroup } from './qemu-user.ts';

/** Root may give files away; others only to themselves. */
const isRoot = process.getuid?.() === 0;
const user = isRoot ? { uid: 64055, gid: 64056 } : { uid: process.getuid!(), gid: process.getgid!() };
const self = process.getuid!();

let folder: string;
let file: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-qemu-user-'));
  file = join(folder, 'file');
  await writeFile(file, 'data', { mode: 0o666 });
});
afterEach(() => rm(folder, { recursive: true }));
const access = async (path = file) => {
  const { uid, gid, mode } = await stat(path);
  return [uid, gid, (mode & 0o7777).toString(8)];
};

test('a disk is QEMU’s own; what it reads stays another’s, who alone could write it; nobody else reads either', async () => {
  for (let twice = 0; twice < 2; twice++) {
    await giveToQemu(file, user);
    expect(await access()).toEqual([user.uid, user.gid, '600']);
  }
  for (let twice = 0; twice < 2; twice++) {
    await letQemuRead(file, user);
    expect(await access()).toEqual([self, user.gid, '440']);
  }
});

test('no link is followed', async () => {
  await symlink(file, join(folder, 'link'));
  const before = await access();
  for (const grant of [giveToQemu, letQemuRead])
    await expect(grant(join(folder, 'link'), user)).rejects.toMatchObject({ code: 'ELOOP' });
  expect(await access()).toEqual(before);
  await link(file, join(folder, 'name'));
  await giveToQemu(join(folder, 'name'), user);
  expect((await access())[2]).toBe('600');
});

test('what it only reads belongs to its own group, where it has one beside that of KVM', async () => {
  const passwd = 'root:x:0:0::/:/bin/sh\nlibvirt-qemu:x:64055:104::/:/bin/false\n';
  const groups = (group: string) => withOwnGroup({ uid: 64055, gid: 104 }, async () => ({ passwd, group }));
  expect(await groups('kvm:x:104:me\nlibvirt-qemu:x:64055:libvirt-qemu\n')).toEqual({ uid: 64055, gid: 64055 });
  expect(await groups('kvm:x:104:me\nlibvirt-qemu:x:64055:\n')).toEqual({ uid: 64055, gid: 104 });
  expect(await groups('kvm:x:104:\n')).toEqual({ uid: 64055, gid: 104 });
  expect(await withOwnGroup({ uid: 7, gid: 8 }, async () => ({ passwd, group: '' }))).toEqual({ uid: 7, gid: 8 });
});
