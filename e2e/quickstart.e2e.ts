/** The promise of the README: real Terraform, real guests, edits that converge, damage that is repaired, no trace left. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { PlumbObject } from '@plumb/schemas';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Quickstart } from '../scripts/quickstart.ts';
import { run } from '../scripts/run.ts';
import { networkNamespaceWith } from '../scripts/start/network.ts';
import { GATEWAY, greetFrom } from '../scripts/start/verify.ts';
import { condition, isReady, isStalled } from './harness/api.ts';
import { type Estate, HOST } from './harness/estate.ts';
import { guests, terraform } from './harness/machinery.ts';
import { estateSession } from './harness/session.ts';

describe.skipIf(!guests || !terraform)('the quickstart on real guests', () => {
  const session = estateSession({ name: 'quickstart', driver: 'libvirt' });
  let estate: Estate;
  let quickstart: Quickstart;
  beforeAll(async () => {
    estate = session.estate();
    quickstart = await estate.quickstart();
  });

  const virsh = async (...args: string[]) => {
    const { stdout } = await run('virsh', ['-q', '-c', estate.libvirtd?.virshUri ?? '', ...args]);
    return stdout.trim();
  };
  const running = async () => (await virsh('list', '--name')).split('\n').sort();
  const greeting = async (address: string) =>
    greetFrom(await networkNamespaceWith(GATEWAY, { agentDir: estate.agentDir, host: HOST }), address);
  const boots = async (address: string) => Number((await greeting(address)).match(/boots=(\d+)/)?.[1]);

  /** Waits until the instance was repaired of something else than the last time, and says what was found. */
  const repaired = async (name: string, before: PlumbObject | undefined) => {
    const found = (object: PlumbObject | undefined) => condition(object, 'Drifted');
    const news = (object: PlumbObject | undefined) =>
      found(object)?.reason === 'Repaired' && found(object)?.message !== found(before)?.message;
    const after = await estate.api.until('Instance', name, 'repaired', (object) => news(object) && isReady(object));
    return found(after)?.message;
  };

  test('apply boots the guests, and they hold the addresses that were declared', async () => {
    const { stdout } = await quickstart.apply();
    expect(stdout).toContain('Apply complete! Resources: 8 added, 0 changed, 0 destroyed.');
    expect(await running()).toEqual(['default.web-0', 'default.web-1']);
    expect(await greeting('10.20.0.11')).toBe('web-0 10.20.0.11 boots=1');
    expect(await greeting('10.20.0.12')).toBe('web-1 10.20.0.12 boots=1');
  });

  test('a second plan is empty', async () => {
    expect(await quickstart.changes()).toBeUndefined();
  });

  test('what cannot be made leaves nothing half made on the host', async () => {
    const before = await estate.traces();
    const eth0 = [{ name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.11'] }];
    const impossible = [
      ['Image', { url: `file://${estate.image.path}`, sha256: 'f'.repeat(64), format: 'qcow2' }, 'ChecksumMismatch'],
      ['Instance', { zone: 'home', offering: 'small', image: 'tiny', interfaces: eth0 }, 'DuplicateAddress'],
    ] as const;
    for (const [kind, spec, reason] of impossible) {
      await estate.api.create({ kind, metadata: { name: 'bad' }, spec });
      const object = await estate.api.until(kind, 'bad', 'Stalled', isStalled);
      expect(condition(object, 'Ready')?.reason).toBe(reason);
      expect(await estate.traces()).toEqual(before);
      await estate.api.delete(kind, 'bad');
      await estate.api.until(kind, 'bad', 'gone', (now) => now === undefined);
      expect(await estate.traces()).toEqual(before);
    }
  });

  test('a third instance comes and goes with an edit', async () => {
    await quickstart.apply(undefined, ['-var', 'instances=3']);
    expect(await running()).toEqual(['default.web-0', 'default.web-1', 'default.web-2']);
    expect(await greeting('10.20.0.13')).toMatch(/^web-2 10\.20\.0\.13 /);
    await quickstart.apply();
    expect(await running()).toEqual(['default.web-0', 'default.web-1']);
    expect(await quickstart.changes()).toBeUndefined();
  });

  test('an instance that is declared Stopped stops, keeps its disk, and starts again', async () => {
    const file = join(quickstart.folder, 'main.tf');
    const declared = await readFile(file, 'utf8');
    const stopped = declared.replace(/^( +timeouts +=.*)$/m, '$1\n  power = count.index == 1 ? "Stopped" : "Running"');
    expect(stopped).not.toBe(declared);
    await writeFile(file, stopped);
    await quickstart.apply();
    expect(await virsh('domstate', 'default.web-1')).toBe('shut off');
    expect(await quickstart.changes()).toBeUndefined();
    await writeFile(file, declared);
    await quickstart.apply();
    expect(await greeting('10.20.0.12')).toBe('web-1 10.20.0.12 boots=2');
  });

  test('a guest that was destroyed by hand comes back, and its condition says what was found', async () => {
    const before = await estate.api.get('Instance', 'web-0');
    await virsh('destroy', 'default.web-0');
    expect(await repaired('web-0', before)).toMatch(/domain|guest/);
    expect(await boots('10.20.0.11')).toBe(2);
  });

  test('a guest whose QEMU was killed comes back, and an event says so', async () => {
    const before = await estate.api.get('Instance', 'web-1');
    const pidFile = join(estate.folder, 'libvirt/run/qemu/default.web-1.pid');
    process.kill(Number(await readFile(pidFile, 'utf8')), 'SIGKILL');
    await repaired('web-1', before);
    expect(await boots('10.20.0.12')).toBe(3);
    const { body } = await estate.api.call('GET', '/api/v1/namespaces/default/events');
    const events = body.items as { reason: string; involvedObject: { name: string } }[];
    const said = events.filter(({ involvedObject }) => involvedObject.name === 'web-1').map(({ reason }) => reason);
    expect(said).toEqual(expect.arrayContaining(['Drifted', 'Repaired']));
  });

  test('a port that was taken off its bridge is put back, and this is reported', async () => {
    const before = await estate.api.get('Instance', 'web-0');
    const tap = (await virsh('domiflist', 'default.web-0')).split(/\s+/)[0] ?? '';
    await run('ip', ['link', 'set', tap, 'nomaster']);
    expect(await repaired('web-0', before)).toContain('bridge');
    expect(await boots('10.20.0.11')).toBe(2); // It was not restarted for it.
  });

  test('after all of this a plan is still empty', async () => {
    expect(await quickstart.changes()).toBeUndefined();
  });

  test('destroy leaves nothing behind', async () => {
    const { stdout } = await quickstart.destroy();
    expect(stdout).toContain('Destroy complete! Resources: 8 destroyed.');
    expect(await estate.traces()).toEqual([]);
    for (const kind of ['Zone', 'Host', 'L2Network', 'L3Network', 'Image', 'InstanceOffering', 'Instance'])
      expect(await estate.api.list(kind)).toEqual([]);
  });
});
