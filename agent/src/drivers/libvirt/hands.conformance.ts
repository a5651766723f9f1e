/** What people and their tools do to guests behind Plumb's back, with real libvirt and guests. The tests tell one story. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DomainFacts, HostResource } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { run } from '../../host/command.ts';
import { ChangeLog, changed } from '../conformance-fixture.ts';
import type { Driver } from '../driver.ts';
import type { GuestResources } from './guest-resources.ts';
import { GUEST_ADDRESS, guestResources, SHELL_PORT } from './guest-resources.ts';
import { RealHost, whyNoRealHost } from './real-host.ts';

const GREET = join(import.meta.dirname, '../../../../scripts/greet.ts');
const missing = await whyNoRealHost();

describe.skipIf(missing !== undefined)('hands on a guest on libvirt', () => {
  let host: RealHost;
  let driver: Driver;
  let log: ChangeLog;
  let web: GuestResources;
  let name: string;

  beforeAll(async () => {
    host = await RealHost.open({ diskMiB: 96 }); // Small enough to be filled.
    web = guestResources({
      number: 1,
      image: host.image,
      bridge: { name: 'lab', type: 'vxlan', vni: 300, mtuBytes: 1450, peers: [] },
    });
    name = web.domain.spec.name;
    driver = await host.openDriver({ shutdownGraceMs: 20_000 });
    log = new ChangeLog(driver);
  });
  afterAll(async () => {
    await driver?.close();
    await host?.close();
  });

  const greet = () =>
    host.runInSubnet(web.first.id)(process.execPath, [GREET, '--wait', '60', GUEST_ADDRESS], { timeoutMs: 70_000 });
  const boots = async () => Number(/boots=(\d+)/.exec(await greet())?.[1]);
  const shell = (command: string) => host.shell(web.first.id, GUEST_ADDRESS, SHELL_PORT, command);
  const found = async (resource: HostResource = web.domain) =>
    (await driver.observe()).find(({ kind, id }) => kind === resource.kind && id === resource.id) as
      | { drift: string[]; domain?: DomainFacts }
      | undefined;
  const told = (fits: (resource: { drift: string[]; domain?: DomainFacts }) => boolean) =>
    log.next((change) => changed(change, web.domain) && fits(change.resource as never));
  const edit = async (from: string | RegExp, to: string) => {
    const file = join(host.folder, 'edited.xml');
    const xml = await host.virsh('dumpxml', '--inactive', name);
    expect(xml.replace(from, to)).not.toBe(xml);
    await writeFile(file, xml.replace(from, to));
    await host.virsh('define', file);
  };
  const ensure = () => driver.ensure(web.domain);

  test('a transient domain of somebody else hides nothing, and is not touched', async () => {
    await host.createTransientDomain('minikube');
    for (const resource of web.all) await driver.ensure(resource);
    expect(await boots()).toBe(1);
    expect((await driver.observe()).filter(({ kind }) => kind === 'domain')).toMatchObject([{ drift: [] }]);
    expect(driver.troubles()).toEqual([]);
    await driver.close();
    log.end();
    driver = await host.openDriver({ shutdownGraceMs: 20_000 });
    log = new ChangeLog(driver);
    expect(await host.virsh('domstate', 'minikube')).toContain('running');
    await host.virsh('destroy', 'minikube');
  });

  test('edits of the definition are told when they are made, and put right while the guest runs on', async () => {
    const pid = await host.qemuPid(web.domain.id);
    const edits: [() => Promise<unknown>, RegExp][] = [
      [() => edit('<on_reboot>restart', '<on_reboot>destroy'), /on_reboot is destroy/],
      [() => edit(/pc-q35-7\.2'>hvm/, "pc-q35-6.2'>hvm"), /machine is pc-q35-6\.2/],
      [() => host.virsh('undefine', name), /removed from libvirt/],
    ];
    for (const [make, words] of edits) {
      const seen = told(({ drift }) => words.test(drift.join()));
      await make();
      await seen;
      await ensure();
      expect((await found())?.drift).toEqual([]);
    }
    // Of these no event tells.
    await host.virsh('setmaxmem', name, '256M', '--config');
    await host.virsh('setvcpus', name, '3', '--config', '--maximum');
    expect((await found())?.drift.join()).toMatch(/memory is 262144 KiB.*vcpu is 3/);
    await ensure();
    expect(await found()).toMatchObject({ drift: [], domain: { state: 'running' } });
    expect(await host.qemuPid(web.domain.id)).toBe(pid);
  });

  test('a disk that was attached is told, keeps the guest from being started over, and is forgotten when it is gone', async () => {
    const file = join(host.dataDir, 'extra.img');
    await run('qemu-img', ['create', '-q', '-f', 'raw', file, '1M']);
    await run('chmod', ['0666', file]);
    const seen = told(({ domain }) => /vdb.*extra\.img/.test(domain?.atRisk ?? ''));
    await host.virsh('attach-disk', name, file, 'vdb', '--persistent');
    await seen;
    await expect(ensure()).rejects.toMatchObject({ reason: 'DataLoss', retry: 'terminal' });
    await host.virsh('detach-disk', name, 'vdb', '--persistent');
    await expect.poll(async () => (await found())?.domain?.atRisk, { timeout: 15_000 }).toBeUndefined();
    await ensure();
    expect((await found())?.drift).toEqual([]);
  });

  test('an external snapshot loses nothing: not at a crash, not at a start, not at a change', async () => {
    const overlay = join(host.dataDir, 'overlay.qcow2');
    const seen = told(({ domain }) => domain?.atRisk !== undefined);
    await run('qemu-img', ['create', '-q', '-f', 'qcow2', '-F', 'qcow2', '-b', host.diskOf(web.disk.id), overlay]);
    await run('chown', ['--reference', host.diskOf(web.disk.id), overlay]);
    const snapshot = ['--disk-only', '--no-metadata', '--reuse-external', '--diskspec', `vda,file=${overlay}`];
    await host.virsh('snapshot-create-as', name, 'backup', ...snapshot, '--diskspec', 'vdz,snapshot=no');
    await seen;
    expect((await found())?.domain).toMatchObject({ state: 'running', atRisk: expect.stringContaining(overlay) });
    const disk = '$(ls /dev/vd? | head -1)';
    await shell(`mount -t vfat ${disk} /mnt && echo kept >/mnt/after.txt && umount /mnt && sync; echo ok`);
    await host.virsh('destroy', name);
    await expect(ensure()).rejects.toMatchObject({ reason: 'DataLoss' });
    expect(await host.virsh('domstate', name)).toContain('shut off');
    // What the sentence says to do, word by word.
    const [, todo] = /To bring it back: (.*?--wait)/.exec((await found())!.domain!.atRisk!)!;
    const advice = todo!.split('; ');
    expect(advice.map((command) => command.split(' ')[1])).toEqual(['start', 'blockcommit']);
    for (const command of advice) {
      await host.virsh(...command.split(' ').slice(1));
      await greet();
    }
    await expect.poll(async () => (await found())?.domain?.atRisk, { timeout: 15_000 }).toBeUndefined();
    await host.virsh('destroy', name);
    await ensure();
    await greet();
    expect(await shell(`mount -t vfat ${disk} /mnt && cat /mnt/after.txt; umount /mnt`)).toBe('kept');
    expect(await found()).toMatchObject({ drift: [], domain: { state: 'running' } });
  });

  test('a kernel that gives up ends its guest within seconds, and is told as that', async () => {
    const panicked = told(({ domain }) => domain?.reason === 'panicked');
    const began = performance.now();
    await shell('(sleep 1; echo c >/proc/sysrq-trigger) </dev/null >/dev/null 2>&1 &');
    await panicked;
    expect(performance.now() - began).toBeLessThan(20_000);
    await ensure();
    await greet();
  });

  test('a guest whose disk is full is told as held, and goes on by itself when there is space', async () => {
    await host.fillDisk();
    const held = told(({ domain }) => domain?.paused !== undefined);
    await shell('(dd if=/dev/urandom of=$(ls /dev/vd? | head -1) bs=64k) </dev/null >/dev/null 2>&1 &');
    await held;
    const facts = await found();
    expect(facts).toMatchObject({
      drift: [],
      domain: { state: 'running', paused: expect.stringMatching(/no space.*vda/) },
    });
    expect(driver.troubles()).toMatchObject([{ reason: 'DiskFull', blocking: true }]);
    // Nobody needs space to see, to ask or to delete.
    await driver.close();
    log.end();
    driver = await host.openDriver({ shutdownGraceMs: 500 });
    log = new ChangeLog(driver);
    expect((await found())?.domain?.paused).toBeDefined();
    await ensure();
    expect(await host.virsh('domstate', name)).toContain('paused');
    const goesOn = told(({ domain }) => domain?.paused === undefined);
    await host.emptyDisk();
    await goesOn;
    expect(await host.virsh('domstate', name)).toContain('running');
    await host.fillDisk();
    for (const resource of web.all.toReversed()) await driver.remove(resource);
    expect(await driver.observe()).toEqual([]);
  });
});
