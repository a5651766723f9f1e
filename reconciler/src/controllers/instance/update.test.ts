import { type LiveResource, type PlumbError, type PlumbObject, realAmbient, retryable, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { flowExtensions } from '../../extensions/flows.ts';
import { decodeFlow } from '../../flow/record.ts';
import { isReady } from '../../runtime/conditions.ts';
import { keys } from '../../store/keys.ts';
import { kindModules } from '../index.ts';
import { holdingTypesOf } from '../kind-module.ts';
import { placedContext } from '../placed/placed-kind.ts';
import { retryFlow } from '../placed/release.ts';
import { judge } from '../placed/verdict.ts';
import { preview } from '../preview.ts';
import { condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { instancePlaced } from './placed.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

describe('an instance that is changed', () => {
  it('follows its declaration: stopped, another network interface, another size', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
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

  it('gains and loses an interface: a port is there before its domain has it, and goes after its domain lost it', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const { interfaces } = instanceSpec() as { interfaces: object[] };
    const change = async (wanted: object[]) => {
      const sent = rig.fleet.sent.length;
      await rig.edit('Instance', 'web-0', (o) => (o.spec.interfaces = wanted));
      await rig.ready('Instance', 'web-0');
      return rig.fleet.sent.slice(sent).flatMap(({ command }) => command.steps.map(({ id }) => id));
    };
    const second = { name: 'eth1', l3Network: 'lab', addresses: ['10.20.0.77'] };
    const seed = `change seed/${uid}.seed`; // It names the interfaces where there are several.
    expect(await change([...interfaces, second])).toEqual([seed, `make port/${uid}.eth1`, `change domain/${uid}`]);
    expect(await rig.keys('/alloc/address/')).toHaveLength(2);
    expect(await change(interfaces)).toEqual([seed, `change domain/${uid}`, `remove port/${uid}.eth1`]);
    expect(await rig.keys('/alloc/address/')).toHaveLength(1);
  });

  it('hands new user data to its seed, which is another instance to the guest then, and does not disturb it', async () => {
    await rig.create('Instance', 'web-0', instanceSpec({ userData: 'a' }));
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const seed = () => rig.fleet.host('host-1')!.resources.get(`seed/${uid}.seed`) as LiveResource<'seed'>;
    const before = seed().spec.instanceId;
    const sent = rig.fleet.sent.length;
    await rig.edit('Instance', 'web-0', (o) => (o.spec.userData = 'b'));
    await rig.ready('Instance', 'web-0');
    expect(seed().spec).toMatchObject({ userData: 'b', instanceId: expect.not.stringMatching(before) });
    const steps = rig.fleet.sent.slice(sent).flatMap(({ command }) => command.steps.map(({ id }) => id));
    expect(steps).toEqual([`change seed/${uid}.seed`]);
  });

  it('of an earlier version keeps its seed as it is: an upgrade is no drift', async () => {
    const spec = instanceSpec({
      userData: 'a',
      interfaces: ['eth0', 'eth1'].map((name) => ({ name, l3Network: 'lab' })),
    });
    await rig.create('Instance', 'web-0', spec);
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const seed = rig.fleet.host('host-1')!.resources.get(`seed/${uid}.seed`) as LiveResource<'seed'>;
    const { interfaces: _, ...former } = { ...seed.spec, instanceId: uid };
    const verdict = () =>
      judge(placedContext(rig.context, instancePlaced), rig.context.read.byUid(uid) as never).verdict;
    await expect.poll(verdict).toBe('same');
    const sent = rig.fleet.sent.length;
    rig.fleet.put('host-1', { ...seed, spec: former });
    expect(verdict()).toBe('same');
    await rig.edit('Instance', 'web-0', (o) => (o.metadata.labels = { seen: 'yes' }));
    await rig.until('Instance', 'web-0', (o) => o?.metadata.labels?.seen === 'yes');
    expect(condition(await rig.ready('Instance', 'web-0'), 'Drifted')).toBeUndefined();
    expect(rig.fleet.sent.length).toBe(sent);
  });

  it('starts from another image only where losing data is allowed, and loses none when that fails', async () => {
    await rig.create('Image', 'other', { url: 'file:///o', sha256: 'b'.repeat(64), format: 'raw', maxSizeMiB: 100 });
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const disks = () => rig.fleet.keysOn('host-1').filter((k) => k.startsWith('disk/'));
    const edit = (change: object) => rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, change));

    await edit({ image: 'other' });
    expect(condition(await rig.stalled('Instance', 'web-0'), 'Ready')).toMatchObject({ reason: 'DataLossNotAllowed' });
    expect(disks()).toEqual([`disk/${uid}.root`]);

    rig.fleet.fault = (_h, v, resource) =>
      resource.kind === 'domain' && v === 'ensure' && resource.spec.disks[0] !== `${uid}.root`
        ? terminal('No', 'no')
        : undefined;
    await edit({ allowDataLoss: true });
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'No');
    expect(disks()).toEqual([`disk/${uid}.root`]);
    expect(rig.fleet.host('host-1')!.resources.get(`domain/${uid}`)).toMatchObject({ domain: { state: 'running' } });

    rig.fleet.fault = () => undefined;
    await retryFlow(rig.context, uid);
    await rig.ready('Instance', 'web-0');
    expect(disks()).toEqual([`disk/${uid}.root-bbbbbbbb`]);
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
    expect(disks()).toEqual([]);
  });

  it('keeps its disk when its image is edited', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await rig.edit('Image', 'tiny', (o) => (o.spec.sha256 = 'c'.repeat(64)));
    await rig.ready('Image', 'tiny');
    await rig.edit('Instance', 'web-0', (o) => (o.spec.sshKeys = ['k']));
    await rig.ready('Instance', 'web-0');
    expect(rig.fleet.host('host-1')!.resources.get(`disk/${uid}.root`)).toMatchObject({
      spec: { image: 'a'.repeat(64) },
    });
  });

  it('is taken back to what ran when an update does not succeed in time', async () => {
    await rig.stop();
    let offset = 0;
    const real = realAmbient();
    const ambient = { ...real, clock: { ...real.clock, now: () => real.clock.now() + offset } };
    rig = await startRig({ store: rig.store, fleet: rig.fleet, ambient });
    await rig.create('Instance', 'web-0', instanceSpec());
    await rig.ready('Instance', 'web-0');
    rig.fleet.fault = (_h, v, resource) =>
      resource.kind === 'seed' && v === 'ensure' && resource.spec.sshKeys.length > 0
        ? retryable('Busy', 'busy')
        : undefined;
    await rig.edit('Instance', 'web-0', (o) => (o.spec.sshKeys = ['k']));
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'Busy');
    offset = 301_000;
    const failed = await rig.stalled('Instance', 'web-0');
    expect(condition(failed, 'Ready')).toMatchObject({ reason: 'DeadlineExceeded' });
    expect(failed.status).toMatchObject({ power: 'Running' });
  });

  it('is not restarted by an edit of its offering, and gets the new size when it is next started', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const sent = rig.fleet.sent.length;
    await rig.edit('InstanceOffering', 'small', (o) => Object.assign(o.spec, { cpus: 2, memoryMiB: 192 }));
    const told = await rig.until('Instance', 'web-0', (o) => condition(o, 'RestartRequired') !== undefined);
    expect(told!.status).toMatchObject({ cpus: 1, memoryMiB: 128 });
    expect(rig.fleet.sent.slice(sent).filter((s) => s.command.owner === uid)).toEqual([]);
    const domain = rig.fleet.host('host-1')!.resources.get(`domain/${uid}`)!;
    rig.fleet.put('host-1', { ...domain, domain: { state: 'off', reason: 'crashed' } } as typeof domain);
    const restarted = await rig.until('Instance', 'web-0', (o) => o?.status?.cpus === 2);
    expect(condition(restarted, 'Ready')).toMatchObject({ status: 'True' });
    await rig.until('Instance', 'web-0', (o) => condition(o, 'RestartRequired') === undefined);
  });

  it('gets more processors while it runs, by another offering or an edited one, as many as it was started to take', async () => {
    await rig.create('Instance', 'web-0', instanceSpec({ driftPolicy: 'Report' }));
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    const domain = () => rig.fleet.host('host-1')!.resources.get(`domain/${uid}`) as LiveResource<'domain'>;
    const cpus = (n: number) => rig.until('Instance', 'web-0', (o) => o?.status?.cpus === n && isReady(o));
    expect(domain().domain).toMatchObject({ maxCpus: 4 });
    await rig.edit('InstanceOffering', 'small', (o) => (o.spec.cpus = 2));
    expect(condition(await cpus(2), 'RestartRequired')).toBeUndefined();
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":2,"memoryMiB":128,"instances":1}');
    await rig.create('InstanceOffering', 'wide', { cpus: 4, memoryMiB: 128 });
    const declared = { kind: 'Instance', metadata: { name: 'web-0' }, spec: instanceSpec({ offering: 'wide' }) };
    expect(preview(rig.context, [declared])[0]!.steps).toMatchObject([{ disruption: 'live' }]);
    await rig.edit('Instance', 'web-0', (o) => (o.spec.offering = 'wide'));
    await cpus(4);
    // Still the same run, which takes four.
    expect(domain()).toMatchObject({ spec: { cpus: 4 }, domain: { state: 'running', maxCpus: 4 } });
    for (const size of [{ cpus: 5 }, { cpus: 3 }]) {
      await rig.edit('InstanceOffering', 'wide', (o) => Object.assign(o.spec, size));
      const told = await rig.until('Instance', 'web-0', (o) =>
        Boolean(condition(o, 'RestartRequired')?.message.includes(`says ${size.cpus} `)),
      );
      expect(told!.status).toMatchObject({ cpus: 4 });
    }
    expect(condition(rig.get('Instance', 'web-0'), 'Drifted')).toBeUndefined();
  });

  it('keeps its size and says so when its host has no room for what its offering was edited to', async () => {
    await rig.edit('Host', 'host-1', (o) => (o.spec.cpuOvercommitRatio = 0.25));
    await rig.create('Instance', 'web-0', instanceSpec());
    await rig.ready('Instance', 'web-0');
    await rig.edit('InstanceOffering', 'small', (o) => (o.spec.cpus = 3));
    const told = await rig.until('Instance', 'web-0', (o) => condition(o, 'RestartRequired') !== undefined);
    expect(told!.status).toMatchObject({ cpus: 1 });
    expect(condition(told, 'Ready')).toMatchObject({ status: 'True' });
  });

  it('gets its size when there is room on its host at last: another instance went, or the host takes more', async () => {
    await rig.edit('Host', 'host-1', (o) => (o.spec.cpuOvercommitRatio = 0.25));
    for (const name of ['web-0', 'web-1']) {
      await rig.create('Instance', name, instanceSpec({ interfaces: [{ name: 'eth0', l3Network: 'lab' }] }));
      await rig.ready('Instance', name);
    }
    await rig.edit('InstanceOffering', 'small', (o) => (o.spec.cpus = 2));
    await rig.until('Instance', 'web-0', (o) => condition(o, 'RestartRequired') !== undefined);
    await rig.remove('Instance', 'web-1');
    const isOf = (cpus: number) => (o: PlumbObject | undefined) =>
      o?.status?.cpus === cpus && condition(o, 'RestartRequired') === undefined;
    await rig.until('Instance', 'web-0', isOf(2));
    await rig.edit('InstanceOffering', 'small', (o) => (o.spec.cpus = 3));
    await rig.until('Instance', 'web-0', (o) => condition(o, 'RestartRequired') !== undefined);
    await rig.edit('Host', 'host-1', (o) => (o.spec.cpuOvercommitRatio = 1));
    await rig.until('Instance', 'web-0', isOf(3));
  });

  it('returns to what ran before when it cannot get more processors', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    rig.fleet.fault = (_h, _v, resource) =>
      resource.kind === 'domain' && resource.spec.cpus === 2 ? terminal('LibvirtFailed', 'no') : undefined;
    await rig.edit('InstanceOffering', 'small', (o) => (o.spec.cpus = 2));
    const failed = await rig.stalled('Instance', 'web-0');
    expect(failed.status).toMatchObject({ cpus: 1, power: 'Running' });
    const sent = rig.fleet.sent.flatMap(({ command }) => command.steps).filter(({ resource }) => resource.id === uid);
    expect(sent.at(-1)).toMatchObject({ id: `undo change domain/${uid}`, resource: { spec: { cpus: 1 } } });
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":1,"memoryMiB":128,"instances":1}');
  });

  it('returns to what ran before when an update fails terminally', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const before = await rig.ready('Instance', 'web-0');
    await rig.create('InstanceOffering', 'big', { cpus: 2, memoryMiB: 256 });
    rig.fleet.fault = (_h, verb, resource) =>
      resource.kind === 'domain' && verb === 'ensure' && resource.spec.cpus === 2
        ? terminal('Refused', 'no')
        : undefined;
    await rig.edit('Instance', 'web-0', (o) => (o.spec.offering = 'big'));
    const failed = await rig.stalled('Instance', 'web-0');
    expect(failed.status).toMatchObject({ cpus: 1, memoryMiB: 128, power: 'Running' });
    const domain = rig.fleet.host('host-1')!.resources.get(`domain/${before.metadata.uid}`)!;
    expect(domain).toMatchObject({ spec: { cpus: 1 }, domain: { state: 'running' } });
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":1,"memoryMiB":128,"instances":1}');
  });

  describe('whose step disturbs the guest', () => {
    /** Asks for another size; the tests say what becomes of it. Returns the uid, and what was sent to give it. */
    async function resize(fault: () => PlumbError | undefined): Promise<{ uid: string; attempts: number[] }> {
      await rig.create('Instance', 'web-0', instanceSpec());
      const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
      await rig.create('InstanceOffering', 'tall', { cpus: 1, memoryMiB: 64 });
      const attempts: number[] = [];
      rig.fleet.fault = (_h, verb, resource) => {
        if (resource.kind !== 'domain' || verb !== 'ensure' || resource.spec.memoryMiB !== 64) return undefined;
        attempts.push(rig.context.journal.get(uid)?.record.attempts ?? 0);
        return fault();
      };
      await rig.edit('Instance', 'web-0', (o) => (o.spec.offering = 'tall'));
      return { uid, attempts };
    }
    const domain = (uid: string) => rig.fleet.host('host-1')!.resources.get(`domain/${uid}`) as LiveResource<'domain'>;
    const pullPlug = (uid: string) =>
      rig.fleet.put('host-1', { ...domain(uid), domain: { state: 'off', reason: 'destroyed' } });

    it('is tried twice, taken back and not tried again; and says what failed, where, and what was undone', async () => {
      let uid = '';
      const asked = resize(() => {
        pullPlug(uid);
        return retryable('LibvirtFailed', 'QEMU did not start');
      });
      uid = (await rig.until('Instance', 'web-0', (o) => o !== undefined))!.metadata.uid;
      const { attempts } = await asked;
      const failed = await rig.stalled('Instance', 'web-0');
      expect(attempts).toEqual([1, 2]);
      expect(domain(uid)).toMatchObject({ spec: { memoryMiB: 128 }, domain: { state: 'running' } });
      const message =
        'it disturbs the guest, was tried 2 times and failed; it is tried again when it is declared otherwise, ' +
        `or by plumb flows retry instance/default/web-0; last: LibvirtFailed: QEMU did not start ` +
        `(step "change domain" on host host-1); undone: the guest was put back as it was`;
      expect(condition(failed, 'Ready')).toMatchObject({ reason: 'AttemptsExhausted', message });
      expect(condition(failed, 'Stalled')).toMatchObject({ status: 'True', message });
      const flows = (await flowExtensions(rig.context)[0]!.handle({} as never)).body as { items: unknown };
      expect(flows.items).toMatchObject([{ direction: 'failed', failure: { message, host: 'host-1' } }]);
      // What a person changes or asks for begins anew.
      rig.fleet.fault = () => undefined;
      await retryFlow(rig.context, uid);
      await rig.until('Instance', 'web-0', (o) => o?.status?.memoryMiB === 64);
    });

    it('is begun three times at most when every attempt is cut off, whoever dies, and each is durable before', async () => {
      const cutOff = retryable('HostDisconnected', 'host host-1 was lost before it answered');
      const { fleet, store } = rig;
      const { uid, attempts } = await resize(() => {
        throw cutOff;
      });
      const types = holdingTypesOf(kindModules);
      const durable = async () => decodeFlow(uid, (await store.get(keys.flow(uid)))!.value, types).attempts;
      await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'HostDisconnected');
      await rig.stop();
      expect(await durable()).toBe(attempts.at(-1));
      rig = await startRig({ store, fleet });
      const failed = await rig.stalled('Instance', 'web-0');
      expect(attempts).toEqual([1, 2, 3]);
      expect(condition(failed, 'Ready')).toMatchObject({
        reason: 'AttemptsExhausted',
        message: expect.stringContaining('was begun 3 times and never came to an end'),
      });
    });

    it('counts for nothing when it is done already, or its host is not there', async () => {
      let cut = true;
      const { uid, attempts } = await resize(() => {
        if (!cut) return undefined;
        cut = false;
        rig.fleet.put('host-1', { ...domain(uid), spec: { ...domain(uid).spec, memoryMiB: 64 } });
        rig.fleet.disconnect('host-1');
        throw retryable('HostDisconnected', 'host host-1 was lost before it answered');
      });
      await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'HostNotConnected');
      expect(rig.context.journal.get(uid)?.record.attempts).toBe(1);
      rig.fleet.connect('host-1');
      await rig.until('Instance', 'web-0', (o) => o?.status?.memoryMiB === 64);
      expect(attempts).toEqual([1, 1]);
    });

    it('costs a create nothing', async () => {
      const before = rig.store.revision();
      await rig.create('Instance', 'web-0', instanceSpec());
      await rig.ready('Instance', 'web-0');
      const commits = rig.store.revision() - before;
      rig.fleet.fault = (_h, _v, resource) => {
        if (resource.kind === 'domain') expect(rig.context.journal.get(resource.id)?.record.attempts).toBeUndefined();
        return undefined;
      };
      await rig.create('Instance', 'web-1', instanceSpec());
      await rig.ready('Instance', 'web-1');
      expect(commits).toBeGreaterThanOrEqual(3);
    });
  });
});
