import { chmod, mkdir, mkdtemp, realpath, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { closedFolder, withQemuUser } from './libvirtd-view.ts';

describe('the user that guests run as', () => {
  const root = 'root:x:0:0::/root:/bin/sh\n';
  const entry = 'libvirt-qemu:x:64055:64055::/var/lib/libvirt:/usr/sbin/nologin\n';

  it('is shown where the machine has none, with a group of its own, and may use KVM where there is that group', () => {
    expect(withQemuUser(root, 'root:x:0:\n')).toEqual({
      passwd: root + entry,
      group: 'root:x:0:\nlibvirt-qemu:x:64055:\n',
    });
    expect(withQemuUser(root, 'kvm:x:104:\nvideo:x:44:me\n').group).toBe(
      'kvm:x:104:libvirt-qemu\nvideo:x:44:me\nlibvirt-qemu:x:64055:\n',
    );
    expect(withQemuUser(root, 'kvm:x:104:me\n').group).toContain('kvm:x:104:me,libvirt-qemu\n');
  });

  it('is the machine’s own where it has one', () => {
    const own = `${root}libvirt-qemu:x:64055:104::/var/lib/libvirt:/usr/sbin/nologin\n`;
    expect(withQemuUser(own, 'kvm:x:104:\nlibvirt-qemu:x:64055:libvirt-qemu\n')).toEqual({});
    const { passwd, group } = withQemuUser(own, 'kvm:x:104:libvirt-qemu\n');
    expect([passwd, group]).toEqual([undefined, 'kvm:x:104:libvirt-qemu\nlibvirt-qemu:x:64055:\n']);
  });

  it.each([
    ['user', `${root}eve:x:64055:64055::/:/bin/sh\n`, 'root:x:0:\n'],
    ['group', root, 'eve:x:64055:\n'],
  ])('is never a stranger: a %s of that number is named', (_what, passwd, group) => {
    expect(() => withQemuUser(passwd, group)).toThrow(/eve has the number 64055.*useradd/);
  });
});

describe('the way to guests’ files', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await realpath(await mkdtemp(join(tmpdir(), 'plumb-view-')));
    await mkdir(join(folder, 'a/b/c'), { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  it('is closed at the topmost folder that only its owner may pass, and not by the last folder itself', async () => {
    await chmod(folder, 0o711);
    expect(await closedFolder(join(folder, 'a/b/c'))).toBeUndefined();
    await chmod(join(folder, 'a/b/c'), 0o700);
    expect(await closedFolder(join(folder, 'a/b/c'))).toBeUndefined();
    await chmod(join(folder, 'a/b'), 0o750);
    expect(await closedFolder(join(folder, 'a/b/c'))).toBe(join(folder, 'a/b'));
    await chmod(folder, 0o700);
    expect(await closedFolder(join(folder, 'a/b/c'))).toBe(folder);
  });
});
