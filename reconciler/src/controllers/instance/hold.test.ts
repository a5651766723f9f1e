import { type LiveResource, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { at, condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

const live = (key: string) => rig.fleet.host('host-1')!.resources.get(key);
const domain = (uid: string) => live(`domain/${uid}`) as LiveResource<'domain'>;
const end = (uid: string, reason: 'crashed' | 'shutdown') =>
  rig.fleet.put('host-1', { ...domain(uid), domain: { state: 'off', reason } });
const runs = (uid: string) => until(() => domain(uid)?.domain?.state === 'running');

/** Resolves when `test` holds on the host; the test's own time limit ends it. */
function until(test: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = rig.fleet.onChange(() => {
      if (!test()) return;
      stop();
      resolve();
    });
    if (test()) {
      stop();
      resolve();
    }
  });
}

/** An instance that runs, and of which every step of an update to 64 MiB fails for good. */
async function failedUpdate(spec: object = {}): Promise<string> {
  await rig.create('Instance', 'web-0', instanceSpec(spec));
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  await rig.create('InstanceOffering', 'tall', { cpus: 1, memoryMiB: 64 });
  rig.fleet.fault = (_h, verb, resource) =>
    resource.kind === 'domain' && verb === 'ensure' && resource.spec.memoryMiB === 64
      ? terminal('No', 'no')
      : undefined;
  await rig.edit('Instance', 'web-0', (o) => (o.spec.offering = 'tall'));
  await rig.stalled('Instance', 'web-0');
  return uid;
}

const said = (type: string) => condition(rig.get('Instance', 'web-0'), type);

describe('an instance whose update failed', () => {
  it('is held at what ran before: a crash is repaired, and the failure goes on being said', async () => {
    const uid = await failedUpdate();
    const failure = said('Ready');
    end(uid, 'crashed');
    await runs(uid);
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Drifted')?.reason === 'Repaired');
    expect(said('Ready')).toEqual(failure);
    expect(said('Stalled')).toMatchObject({ status: 'True', reason: 'No' });
    expect(said('Drifted')).toMatchObject({ status: 'False', message: expect.stringContaining('crashed') });
    expect(rig.get('Instance', 'web-0')?.status).toMatchObject({ power: 'Running', memoryMiB: 128 });
    expect(domain(uid).spec.memoryMiB).toBe(128);
  });

  it('gets back what is gone, also after the control plane died', async () => {
    const uid = await failedUpdate();
    await rig.stop();
    rig.fleet.take('host-1', domain(uid));
    rig.fleet.take('host-1', live(`port/${uid}.eth0`)!);
    const { store, fleet } = rig;
    rig = await startRig({ store, fleet });
    await runs(uid);
    expect(live(`port/${uid}.eth0`)).toBeDefined();
    expect(said('Stalled')).toMatchObject({ status: 'True' });
  });

  it('rests when its guest shuts itself down', async () => {
    const uid = await failedUpdate();
    const sent = rig.fleet.sent.length;
    end(uid, 'shutdown');
    await rig.until('Instance', 'web-0', (o) => o?.status?.power === 'Stopped');
    expect(rig.fleet.sent.length).toBe(sent);
  });

  it('is only told where drift is only to be reported', async () => {
    const uid = await failedUpdate({ driftPolicy: 'Report' });
    const sent = rig.fleet.sent.length;
    end(uid, 'crashed');
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Drifted')?.status === 'True');
    expect(said('Ready')).toMatchObject({ reason: 'No' });
    expect(rig.fleet.sent.length).toBe(sent);
    // It is not taken for one that was once as declared.
    rig.fleet.fault = () => undefined;
    await rig.edit('Instance', 'web-0', (o) => (o.metadata.annotations = { 'plumb.dev/retry': '1' }));
    await rig.until('Instance', 'web-0', (o) => o?.status?.memoryMiB === 64);
    expect(said('Ready')).toMatchObject({ status: 'True' });
  });

  it('says what of it cannot be repaired either', async () => {
    const uid = await failedUpdate();
    rig.fleet.fault = (_h, verb, resource) =>
      resource.kind === 'domain' && verb === 'ensure' ? terminal('Gone', 'broken') : undefined;
    end(uid, 'crashed');
    await rig.until('Instance', 'web-0', (o) => condition(o, 'Drifted')?.status === 'True');
    expect(said('Drifted')).toMatchObject({ reason: 'RepairFailed', message: expect.stringContaining('Gone: broken') });
    expect(said('Ready')).toMatchObject({ reason: 'No' });
  });
});

it('an instance that is declared impossibly, or refers to what is gone, is held at what ran before as well', async () => {
  await rig.create('Instance', 'web-0', instanceSpec());
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  await rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, at('10.99.0.1')));
  await rig.stalled('Instance', 'web-0');
  end(uid, 'crashed');
  await runs(uid);
  await rig.until('Instance', 'web-0', (o) => condition(o, 'Drifted')?.reason === 'Repaired');
  expect(said('Ready')).toMatchObject({ reason: 'AddressOutsideCIDR' });
  await rig.edit('Instance', 'web-0', (o) => (o.spec.offering = 'nowhere'));
  await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'ReferenceNotFound');
  end(uid, 'crashed');
  await runs(uid);
});

it('a guest that was switched off as declared is not taken for one that ended by itself', async () => {
  await rig.create('Instance', 'web-0', instanceSpec({ power: 'Stopped' }));
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  const sent = rig.fleet.sent.length;
  end(uid, 'shutdown');
  await rig.edit('Instance', 'web-0', (o) => (o.metadata.labels = { looked: 'at' }));
  await rig.create('Instance', 'other', instanceSpec());
  await rig.ready('Instance', 'other');
  expect(rig.fleet.sent.slice(sent).filter(({ command }) => command.owner === uid)).toEqual([]);
});
