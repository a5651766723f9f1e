import { realAmbient, retryable, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Rig, startRig } from '../testing/rig.ts';
import { abandonFlow, retryFlow } from './release.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await rig.create('Zone', 'home', {});
  await rig.create('Host', 'host-1', {
    zone: 'home',
    unschedulable: false,
    cpuOvercommitRatio: 8,
    memoryOvercommitRatio: 1,
  });
  rig.fleet.connect('host-1');
  await rig.create('L2Network', 'lab', { zone: 'home', type: 'vxlan', vni: 100 });
  await rig.create('L3Network', 'lab', {
    l2Network: 'lab',
    ipv4: { cidr: '10.20.0.0/24', gateway: '10.20.0.1', ranges: [{ start: '10.20.0.10', end: '10.20.0.200' }] },
  });
  await rig.create('Image', 'tiny', { url: 'file:///t', sha256: 'a'.repeat(64), format: 'qcow2', maxSizeMiB: 100 });
  await rig.create('InstanceOffering', 'small', { cpus: 1, memoryMiB: 128 });
});

afterEach(() => rig.stop());

const spec = (more: object = {}) => ({
  zone: 'home',
  offering: 'small',
  image: 'tiny',
  interfaces: [{ name: 'eth0', l3Network: 'lab' }],
  power: 'Running',
  restartPolicy: 'OnFailure',
  driftPolicy: 'Repair',
  ...more,
});
const at = (address: string) => ({ interfaces: [{ name: 'eth0', l3Network: 'lab', addresses: [address] }] });
const condition = (
  object: { status?: { conditions?: { type: string; status?: string; reason?: string }[] } } | undefined,
  type: string,
) => object?.status?.conditions?.find((c) => c.type === type);

describe('an instance', () => {
  it('is created in one command, with its addresses and its share of the host made durable', async () => {
    await rig.create('Instance', 'web-0', spec(at('10.20.0.11')));
    const ready = await rig.ready('Instance', 'web-0');
    const { uid } = ready.metadata;
    expect(ready.status).toMatchObject({ host: 'host-1', power: 'Running', cpus: 1, memoryMiB: 128 });
    expect(rig.fleet.keysOn('host-1')).toEqual(
      [
        `bridge/${rig.get('L2Network', 'lab')!.metadata.uid}`,
        `disk/${uid}.root`,
        `domain/${uid}`,
        `image/${'a'.repeat(64)}`,
        `port/${uid}.eth0`,
        `seed/${uid}.seed`,
        `subnet/${rig.get('L3Network', 'lab')!.metadata.uid}`,
      ].sort(),
    );
    expect(rig.fleet.sent.filter((s) => s.command.owner === uid)).toHaveLength(1);
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":1,"memoryMiB":128,"instances":1}');
    expect(await rig.keys('/alloc/address/')).toHaveLength(1);
    expect(await rig.keys('/flows/')).toEqual([]);
  });

  it('leaves nothing behind when it is deleted', async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
    expect(await rig.keys('/alloc/address/')).toEqual([]);
    expect(await rig.keys('/alloc/mac/')).toEqual([]);
    expect(await rig.keys('/flows/')).toEqual([]);
    expect(await rig.keys('/deleted/')).toEqual([`/deleted/${uid}`]);
    for (const kind of ['L3Network', 'L2Network', 'Image', 'InstanceOffering', 'Host', 'Zone'])
      await rig.remove(
        kind,
        kind === 'Image'
          ? 'tiny'
          : kind === 'InstanceOffering'
            ? 'small'
            : kind === 'Zone'
              ? 'home'
              : kind === 'Host'
                ? 'host-1'
                : 'lab',
      );
    await rig.gone('Zone', 'home');
    await rig.gone('Image', 'tiny');
    await rig.gone('L2Network', 'lab');
    expect(rig.fleet.keysOn('host-1')).toEqual([]);
    expect(await rig.keys('/alloc/')).toEqual([]);
    expect(await rig.keys('/objects/')).toEqual([]);
  });

  it('is undone whole when a step fails terminally, says so, and is not tried again with the same inputs', async () => {
    rig.fleet.fault = (_h, verb, thing) =>
      thing.kind === 'domain' && verb === 'ensure' ? terminal('BootFailed', 'the firmware is missing') : undefined;
    await rig.create('Instance', 'web-0', spec());
    const failed = await rig.stalled('Instance', 'web-0');
    expect(condition(failed, 'Ready')).toMatchObject({ status: 'False', reason: 'BootFailed' });
    expect(rig.fleet.keysOn('host-1').filter((k) => k.includes(failed.metadata.uid))).toEqual([]);
    expect(await rig.keys('/alloc/address/')).toEqual([]);
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":0,"memoryMiB":0,"instances":0}');
    const sent = rig.fleet.sent.length;
    await rig.edit('InstanceOffering', 'small', (o) => (o.metadata.labels = { a: 'b' }));
    await rig.create('Instance', 'other', spec({ power: 'Running' }));
    await rig.stalled('Instance', 'other');
    expect(rig.fleet.sent.slice(sent).filter((s) => s.command.owner === failed.metadata.uid)).toEqual([]);
    rig.fleet.fault = () => undefined;
    await rig.edit('Instance', 'web-0', (o) => (o.metadata.annotations = { 'plumb.dev/retry': '1' }));
    await rig.ready('Instance', 'web-0');
  });

  it('goes on when a failure passes', async () => {
    let left = 2;
    rig.fleet.fault = (_h, _v, thing) =>
      thing.kind === 'disk' && left-- > 0 ? retryable('NoSpace', 'full') : undefined;
    await rig.create('Instance', 'web-0', spec());
    await rig.ready('Instance', 'web-0');
    expect(left).toBeLessThan(0);
  });

  it('waits for what it refers to, in any order', async () => {
    await rig.create('Instance', 'web-0', spec({ offering: 'later' }));
    await rig.until('Instance', 'web-0', (o) =>
      JSON.stringify(o?.status ?? '').includes('there is no InstanceOffering later'),
    );
    await rig.create('InstanceOffering', 'later', { cpus: 1, memoryMiB: 64 });
    expect((await rig.ready('Instance', 'web-0')).status).toMatchObject({ memoryMiB: 64 });
  });

  it('refuses an address that another holds, and takes it when it is free', async () => {
    await rig.create('Instance', 'web-0', spec(at('10.20.0.11')));
    await rig.ready('Instance', 'web-0');
    await rig.create('Instance', 'web-1', spec(at('10.20.0.11')));
    const failed = await rig.stalled('Instance', 'web-1');
    expect(condition(failed, 'Ready')).toMatchObject({ reason: 'DuplicateAddress' });
    expect(JSON.stringify(failed.status)).toContain('held by Instance default/web-0');
    await rig.remove('Instance', 'web-0');
    await rig.ready('Instance', 'web-1');
  });

  it('never gives one address to two of many that are created at once', async () => {
    const names = Array.from({ length: 120 }, (_, i) => `vm-${i}`);
    await Promise.all(names.map((n) => rig.create('Instance', n, spec())));
    // 64 CPUs after overcommit: the rest wait for room
    await Promise.all(names.map((n) => rig.until('Instance', n, (o) => o?.status?.conditions !== undefined)));
    const ready = names.map((n) => rig.get('Instance', n)!).filter((o) => o.status?.host !== undefined);
    expect(ready).toHaveLength(64);
    const addresses = ready.flatMap((o) =>
      (o.status!.interfaces as { addresses: string[] }[]).flatMap((i) => i.addresses),
    );
    expect(new Set(addresses).size).toBe(64);
    rig.fleet.connect('host-2');
    await rig.create('Host', 'host-2', {
      zone: 'home',
      unschedulable: false,
      cpuOvercommitRatio: 8,
      memoryOvercommitRatio: 1,
    });
    await Promise.all(names.map((n) => rig.ready('Instance', n)));
  });

  it('is repaired when it drifts, and says what was found', async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const domain = rig.fleet.host('host-1')!.things.get(`domain/${uid}`)!;
    rig.fleet.put('host-1', { ...domain, domain: { state: 'off', reason: 'destroyed' } } as typeof domain);
    const repaired = await rig.until('Instance', 'web-0', (o) => condition(o as never, 'Drifted') !== undefined);
    expect(condition(repaired as never, 'Drifted')).toMatchObject({ reason: 'Repaired' });
    expect(JSON.stringify(repaired!.status)).toContain('was destroyed on the host');
    expect(rig.fleet.host('host-1')!.things.get(`domain/${uid}`)!).toMatchObject({ domain: { state: 'running' } });
  });

  it('only reports drift where it is told to', async () => {
    await rig.create('Instance', 'web-0', spec({ driftPolicy: 'Report' }));
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    rig.fleet.take('host-1', rig.fleet.host('host-1')!.things.get(`port/${uid}.eth0`)!);
    const drifted = await rig.until('Instance', 'web-0', (o) => condition(o as never, 'Drifted') !== undefined);
    expect(condition(drifted as never, 'Drifted')).toMatchObject({ status: 'True' });
    expect(rig.fleet.keysOn('host-1')).not.toContain(`port/${uid}.eth0`);
  });

  it("respects a guest's own shutdown, and starts it when its declaration changes", async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const domain = rig.fleet.host('host-1')!.things.get(`domain/${uid}`)!;
    rig.fleet.put('host-1', { ...domain, domain: { state: 'off', reason: 'shutdown' } } as typeof domain);
    const rests = await rig.until('Instance', 'web-0', (o) => o?.status?.power === 'Stopped');
    expect(condition(rests as never, 'Ready')).toMatchObject({ status: 'True', reason: 'GuestShutdown' });
    await rig.edit('Instance', 'web-0', (o) => (o.spec.restartPolicy = 'Always'));
    await rig.until('Instance', 'web-0', (o) => o?.status?.power === 'Running');
  });

  it('follows its declaration: stopped, another network interface, another size', async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await rig.edit('Instance', 'web-0', (o) => (o.spec.power = 'Stopped'));
    expect((await rig.ready('Instance', 'web-0')).status).toMatchObject({ power: 'Stopped' });
    await rig.create('InstanceOffering', 'big', { cpus: 2, memoryMiB: 256 });
    await rig.edit('Instance', 'web-0', (o) => {
      o.spec.offering = 'big';
      o.spec.interfaces = [{ name: 'eth1', l3Network: 'lab', addresses: ['10.20.0.77'] }];
    });
    expect((await rig.ready('Instance', 'web-0')).status).toMatchObject({ cpus: 2, memoryMiB: 256 });
    expect(await rig.keys('/alloc/address/')).toEqual([expect.stringMatching(/10\.20\.0\.77$/)]);
    expect(rig.fleet.keysOn('host-1').filter((k) => k.startsWith('port/'))).toEqual([`port/${uid}.eth1`]);
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":2,"memoryMiB":256,"instances":1}');
  });

  it('starts from another image only where losing data is allowed, and loses none when that fails', async () => {
    await rig.create('Image', 'other', { url: 'file:///o', sha256: 'b'.repeat(64), format: 'raw', maxSizeMiB: 100 });
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const disks = () => rig.fleet.keysOn('host-1').filter((k) => k.startsWith('disk/'));
    const edit = (change: object) => rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, change));

    await edit({ image: 'other' });
    expect(condition(await rig.stalled('Instance', 'web-0'), 'Ready')).toMatchObject({ reason: 'DataLossNotAllowed' });
    expect(disks()).toEqual([`disk/${uid}.root`]);

    rig.fleet.fault = (_h, v, thing) =>
      thing.kind === 'domain' && v === 'ensure' && thing.spec.disks[0] !== `${uid}.root`
        ? terminal('No', 'no')
        : undefined;
    await edit({ allowDataLoss: true });
    await rig.until('Instance', 'web-0', (o) => condition(o as never, 'Ready')?.reason === 'No');
    expect(disks()).toEqual([`disk/${uid}.root`]);
    expect(rig.fleet.host('host-1')!.things.get(`domain/${uid}`)).toMatchObject({ domain: { state: 'running' } });

    rig.fleet.fault = () => undefined;
    await retryFlow(rig.context, uid);
    await rig.ready('Instance', 'web-0');
    expect(disks()).toEqual([`disk/${uid}.root-bbbbbbbb`]);
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
    expect(disks()).toEqual([]);
  });

  it('keeps its disk when its image is edited', async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await rig.edit('Image', 'tiny', (o) => (o.spec.sha256 = 'c'.repeat(64)));
    await rig.ready('Image', 'tiny');
    await rig.edit('Instance', 'web-0', (o) => (o.spec.sshKeys = ['k']));
    await rig.ready('Instance', 'web-0');
    expect(rig.fleet.host('host-1')!.things.get(`disk/${uid}.root`)).toMatchObject({ spec: { image: 'a'.repeat(64) } });
  });

  it('is taken back to what ran when an update does not succeed in time', async () => {
    await rig.stop();
    let offset = 0;
    const real = realAmbient();
    const ambient = { ...real, clock: { ...real.clock, now: () => real.clock.now() + offset } };
    rig = await startRig({ store: rig.store, fleet: rig.fleet, ambient });
    await rig.create('Instance', 'web-0', spec());
    await rig.ready('Instance', 'web-0');
    rig.fleet.fault = (_h, v, thing) =>
      thing.kind === 'seed' && v === 'ensure' && thing.spec.sshKeys.length > 0 ? retryable('Busy', 'busy') : undefined;
    await rig.edit('Instance', 'web-0', (o) => (o.spec.sshKeys = ['k']));
    await rig.until('Instance', 'web-0', (o) => condition(o as never, 'Ready')?.reason === 'Busy');
    offset = 301_000;
    const failed = await rig.stalled('Instance', 'web-0');
    expect(condition(failed, 'Ready')).toMatchObject({ reason: 'DeadlineExceeded' });
    expect(failed.status).toMatchObject({ power: 'Running' });
  });

  it('is not restarted by an edit of its offering, and gets the new size when it is next started', async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const sent = rig.fleet.sent.length;
    await rig.edit('InstanceOffering', 'small', (o) => (o.spec.cpus = 2));
    const told = await rig.until('Instance', 'web-0', (o) => condition(o as never, 'RestartRequired') !== undefined);
    expect(told!.status).toMatchObject({ cpus: 1 });
    expect(rig.fleet.sent.slice(sent).filter((s) => s.command.owner === uid)).toEqual([]);
    const domain = rig.fleet.host('host-1')!.things.get(`domain/${uid}`)!;
    rig.fleet.put('host-1', { ...domain, domain: { state: 'off', reason: 'crashed' } } as typeof domain);
    const restarted = await rig.until('Instance', 'web-0', (o) => o?.status?.cpus === 2);
    expect(condition(restarted as never, 'Ready')).toMatchObject({ status: 'True' });
    await rig.until('Instance', 'web-0', (o) => condition(o as never, 'RestartRequired') === undefined);
  });

  it('returns to what ran before when an update fails terminally', async () => {
    await rig.create('Instance', 'web-0', spec());
    const before = await rig.ready('Instance', 'web-0');
    await rig.create('InstanceOffering', 'big', { cpus: 2, memoryMiB: 256 });
    rig.fleet.fault = (_h, verb, thing) =>
      thing.kind === 'domain' && verb === 'ensure' && thing.spec.cpus === 2 ? terminal('Refused', 'no') : undefined;
    await rig.edit('Instance', 'web-0', (o) => (o.spec.offering = 'big'));
    const failed = await rig.stalled('Instance', 'web-0');
    expect(failed.status).toMatchObject({ cpus: 1, memoryMiB: 128, power: 'Running' });
    const domain = rig.fleet.host('host-1')!.things.get(`domain/${before.metadata.uid}`)!;
    expect(domain).toMatchObject({ spec: { cpus: 1 }, domain: { state: 'running' } });
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":1,"memoryMiB":128,"instances":1}');
  });

  it('goes on after a crash of the control plane, from wherever it was', async () => {
    rig.fleet.fault = (_h, _v, thing) => (thing.kind === 'domain' ? retryable('Busy', 'busy') : undefined);
    await rig.create('Instance', 'web-0', spec());
    await rig.until('Instance', 'web-0', (o) => condition(o as never, 'Ready') !== undefined);
    await rig.stop();
    rig.fleet.fault = () => undefined;
    rig = await startRig({ store: rig.store, fleet: rig.fleet });
    await rig.ready('Instance', 'web-0');
    expect(await rig.keys('/flows/')).toEqual([]);
  });

  it('leaves nothing of a half-made one whose declaration becomes impossible meanwhile', async () => {
    rig.fleet.fault = (_h, v, thing) =>
      thing.kind === 'domain' && v === 'ensure' ? retryable('Busy', 'busy') : undefined;
    await rig.create('Instance', 'web-0', spec());
    const busy = await rig.until('Instance', 'web-0', (o) => condition(o as never, 'Ready') !== undefined);
    expect(rig.fleet.keysOn('host-1')).toContain(`disk/${busy!.metadata.uid}.root`);
    await rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, at('10.99.0.1')));
    const failed = await rig.stalled('Instance', 'web-0');
    expect(condition(failed, 'Ready')).toMatchObject({ reason: 'AddressOutsideCIDR' });
    expect(rig.fleet.keysOn('host-1').filter((k) => k.includes(busy!.metadata.uid))).toEqual([]);
    expect(await rig.keys('/alloc/address/')).toEqual([]);
  });

  it('is stuck, visibly, while its removal fails; a person may end that', async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    rig.fleet.fault = (_h, verb, thing) =>
      thing.kind === 'disk' && verb === 'remove' ? terminal('IoError', 'the disk cannot be unlinked') : undefined;
    await rig.remove('Instance', 'web-0');
    const stuck = await rig.until('Instance', 'web-0', (o) => condition(o as never, 'Ready')?.status === 'False');
    expect(condition(stuck as never, 'Ready')).toMatchObject({ reason: 'Stuck' });
    expect(rig.context.journal.notes(uid).at(-1)).toMatchObject({ step: `remove disk/${uid}.root`, host: 'host-1' });
    await abandonFlow(rig.context, uid);
    await rig.gone('Instance', 'web-0');
    expect(await rig.keys('/alloc/address/')).toEqual([]);
    expect(await rig.keys('/flows/')).toEqual([]);
    // What was left goes as soon as the host obeys: the deletion record allows it.
    rig.fleet.fault = () => undefined;
    const disk = rig.fleet.host('host-1')!.things.get(`disk/${uid}.root`)!;
    const gone = new Promise<void>((resolve) =>
      rig.fleet.onChange(
        (c) =>
          void (
            c.type === 'thing' &&
            c.id === disk.id &&
            !rig.fleet.keysOn('host-1').includes(`disk/${disk.id}`) &&
            resolve()
          ),
      ),
    );
    rig.fleet.put('host-1', disk);
    await gone;
  });

  it('is tried again at once when a person asks', async () => {
    rig.fleet.fault = (_h, verb, thing) =>
      thing.kind === 'domain' && verb === 'ensure' ? terminal('BootFailed', 'the firmware is missing') : undefined;
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.stalled('Instance', 'web-0')).metadata;
    rig.fleet.fault = () => undefined;
    await retryFlow(rig.context, uid);
    await rig.ready('Instance', 'web-0');
  });

  it('can never be held by a host that is too small, and says so', async () => {
    await rig.create('InstanceOffering', 'huge', { cpus: 1, memoryMiB: 1_000_000 });
    await rig.create('Instance', 'web-0', spec({ offering: 'huge' }));
    expect(condition(await rig.stalled('Instance', 'web-0'), 'Ready')).toMatchObject({ reason: 'NoHostFits' });
  });

  it('is untouched by a control plane with an empty store, which reports it as an orphan', async () => {
    await rig.create('Instance', 'web-0', spec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const before = rig.fleet.keysOn('host-1');
    await rig.stop();
    rig = await startRig({ fleet: rig.fleet });
    await rig.create('Zone', 'home', {});
    await rig.create('Host', 'host-1', {
      zone: 'home',
      unschedulable: false,
      cpuOvercommitRatio: 8,
      memoryOvercommitRatio: 1,
    });
    const host = await rig.until('Host', 'host-1', (o) => o?.status?.orphans !== undefined);
    expect(host!.status!.orphans).toContainEqual({ kind: 'domain', id: uid, owner: uid });
    expect(rig.fleet.keysOn('host-1')).toEqual(before);
  });
});
