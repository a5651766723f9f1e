import { type LiveResource, retryable, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { DISCONNECT_GRACE_MS } from '../../fleet/liveness.ts';
import { abandonFlow, retryFlow } from '../placed/release.ts';
import { at, condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

describe('an instance whose flow fails', () => {
  it('is undone whole when a step fails terminally, says so, and is not tried again with the same inputs', async () => {
    rig.fleet.fault = (_h, verb, resource) =>
      resource.kind === 'domain' && verb === 'ensure' ? terminal('BootFailed', 'the firmware is missing') : undefined;
    await rig.create('Instance', 'web-0', instanceSpec());
    const failed = await rig.stalled('Instance', 'web-0');
    expect(condition(failed, 'Ready')).toMatchObject({ status: 'False', reason: 'BootFailed' });
    expect(rig.fleet.keysOn('host-1').filter((k) => k.includes(failed.metadata.uid))).toEqual([]);
    expect(await rig.keys('/alloc/address/')).toEqual([]);
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":0,"memoryMiB":0,"instances":0}');
    const sent = rig.fleet.sent.length;
    await rig.edit('InstanceOffering', 'small', (o) => (o.metadata.labels = { a: 'b' }));
    await rig.create('Instance', 'other', instanceSpec({ power: 'Running' }));
    await rig.stalled('Instance', 'other');
    expect(rig.fleet.sent.slice(sent).filter((s) => s.command.owner === failed.metadata.uid)).toEqual([]);
    rig.fleet.fault = () => undefined;
    await rig.edit('Instance', 'web-0', (o) => (o.metadata.annotations = { 'plumb.dev/retry': '1' }));
    await rig.ready('Instance', 'web-0');
  });

  it('goes on when a failure passes', async () => {
    let left = 2;
    rig.fleet.fault = (_h, _v, resource) =>
      resource.kind === 'disk' && left-- > 0 ? retryable('NoSpace', 'full') : undefined;
    await rig.create('Instance', 'web-0', instanceSpec());
    await rig.ready('Instance', 'web-0');
    expect(left).toBeLessThan(0);
  });

  it('goes on after a crash of the control plane, from wherever it was', async () => {
    rig.fleet.fault = (_h, _v, resource) => (resource.kind === 'domain' ? retryable('Busy', 'busy') : undefined);
    await rig.create('Instance', 'web-0', instanceSpec());
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready') !== undefined);
    await rig.stop();
    rig.fleet.fault = () => undefined;
    rig = await startRig({ store: rig.store, fleet: rig.fleet });
    await rig.ready('Instance', 'web-0');
    expect(await rig.keys('/flows/')).toEqual([]);
  });

  it('leaves nothing of a half-made one whose declaration becomes impossible meanwhile', async () => {
    rig.fleet.fault = (_h, v, resource) =>
      resource.kind === 'domain' && v === 'ensure' ? retryable('Busy', 'busy') : undefined;
    await rig.create('Instance', 'web-0', instanceSpec());
    const busy = await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready') !== undefined);
    expect(rig.fleet.keysOn('host-1')).toContain(`disk/${busy!.metadata.uid}.root`);
    await rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, at('10.99.0.1')));
    const failed = await rig.stalled('Instance', 'web-0');
    expect(condition(failed, 'Ready')).toMatchObject({ reason: 'AddressOutsideCIDR' });
    expect(rig.fleet.keysOn('host-1').filter((k) => k.includes(busy!.metadata.uid))).toEqual([]);
    expect(await rig.keys('/alloc/address/')).toEqual([]);
  });

  it('is stuck, visibly, while its removal fails; a person may end that', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    rig.fleet.fault = (_h, verb, resource) =>
      resource.kind === 'disk' && verb === 'remove' ? terminal('IoError', 'the disk cannot be unlinked') : undefined;
    await rig.remove('Instance', 'web-0');
    const stuck = await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.status === 'False');
    expect(condition(stuck, 'Ready')).toMatchObject({ reason: 'Stuck' });
    expect(rig.context.journal.notes(uid).at(-1)).toMatchObject({ step: `remove disk/${uid}.root`, host: 'host-1' });
    await abandonFlow(rig.context, uid);
    await rig.gone('Instance', 'web-0');
    expect(await rig.keys('/alloc/address/')).toEqual([]);
    expect(await rig.keys('/flows/')).toEqual([]);
    // What was left goes as soon as the host obeys: the deletion record allows it.
    rig.fleet.fault = () => undefined;
    const disk = rig.fleet.host('host-1')!.resources.get(`disk/${uid}.root`)!;
    const gone = new Promise<void>((resolve) =>
      rig.fleet.onChange(
        (c) =>
          void (
            c.type === 'resource' &&
            c.id === disk.id &&
            !rig.fleet.keysOn('host-1').includes(`disk/${disk.id}`) &&
            resolve()
          ),
      ),
    );
    rig.fleet.put('host-1', disk);
    await gone;
  });

  it('is deleted without its host once that is lost and a person says so', async () => {
    const { ambient } = rig.context;
    let waitedMs = 0;
    const clock = { ...ambient.clock, now: () => ambient.clock.now() + waitedMs };
    await rig.stop();
    rig = await startRig({ store: rig.store, fleet: rig.fleet, ambient: { ...ambient, clock } });
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    rig.fleet.disconnect('host-1');
    await rig.remove('Instance', 'web-0');
    const waiting = await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.status === 'False');
    expect(condition(waiting, 'Ready')).toMatchObject({
      reason: 'HostNotConnected',
      message: expect.stringContaining('plumb flows abandon instance/default/web-0'),
    });
    // An agent that only restarts confirms by itself.
    await expect(abandonFlow(rig.context, uid)).rejects.toMatchObject({ reason: 'NotStuck' });
    waitedMs = DISCONNECT_GRACE_MS;
    await abandonFlow(rig.context, uid);
    await rig.gone('Instance', 'web-0');
    expect(await rig.keys('/alloc/address/')).toEqual([]);
    expect(await rig.keys('/flows/')).toEqual([]);
    await rig.remove('Host', 'host-1');
    await rig.gone('Host', 'host-1');
  });

  it('is tried again at once when a person asks', async () => {
    rig.fleet.fault = (_h, verb, resource) =>
      resource.kind === 'domain' && verb === 'ensure' ? terminal('BootFailed', 'the firmware is missing') : undefined;
    await rig.create('Instance', 'web-0', instanceSpec());
    const { uid } = (await rig.stalled('Instance', 'web-0')).metadata;
    rig.fleet.fault = () => undefined;
    await retryFlow(rig.context, uid);
    await rig.ready('Instance', 'web-0');
  });

  it('says what to do when its name is taken on its host by a domain that is no object any more', async () => {
    const orphan = {
      ...{ kind: 'domain', id: 'o', owner: 'gone', drift: [], domain: { state: 'off', reason: 'unknown' } },
      spec: { name: 'default.web-0', cpus: 1, memoryMiB: 64, disks: [], ports: [], power: 'Stopped' },
    } as const satisfies LiveResource;
    rig.fleet.connect('host-1', { driver: 'libvirt' });
    rig.fleet.put('host-1', orphan);
    rig.fleet.fault = (host, verb, resource) =>
      resource.kind === 'domain' && verb === 'ensure' && rig.fleet.host(host)!.resources.has('domain/o')
        ? retryable('NameTaken', 'a domain named default.web-0 is still on this host, made for object gone')
        : undefined;
    await rig.create('Instance', 'web-0', instanceSpec());
    const waits = await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'NameTaken');
    const { message } = condition(waits, 'Ready')!;
    expect(message).toContain(
      'a domain named default.web-0 is still on host host-1; it belongs to no object in the store',
    );
    expect(message).toContain('plumb orphans remove host-1 domain/o;');
    rig.fleet.take('host-1', orphan);
    await rig.ready('Instance', 'web-0');
  });
});
