/** That the flow engine is everybody's: a kind made up for this file, with resources of its own, through all that can become of it. */
import { type HostResource, retryable, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readText } from '../../flow/record-text.ts';
import { keys } from '../../store/keys.ts';
import { cascadeFrom } from '../cascade.ts';
import { fenceHost } from '../host/fence.ts';
import { kindModules } from '../index.ts';
import { preview } from '../preview.ts';
import { condition, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { abandonFlow } from './release.ts';
import { relay } from './testing/relay/kind.ts';
import { relayModule } from './testing/relay/module.ts';

// As one line in each list would do.
vi.mock('@plumb/schemas/kinds/list.ts', async (original) => ({
  ...(await original<typeof import('@plumb/schemas/kinds/list.ts')>()),
  relay: (await import('./testing/relay/kind.ts')).relay,
}));

const modules = kindModules.map((module) => (module.kind === relay ? relayModule : module));
const relaySpec = (more: object = {}) => ({
  zone: 'home',
  l2Network: 'lab',
  channel: 7,
  watts: 10,
  colour: 'red',
  ...more,
});

let rig: Rig;

beforeEach(async () => {
  rig = await startRig({ kinds: modules });
  await makeEstate(rig);
});

afterEach(() => rig.stop());

const uidOf = () => rig.get('Relay', 'one')!.metadata.uid;
/** What is on the host, but for the image that is looked at there in any case. */
const onHost = () => rig.fleet.keysOn('host-1').filter((key) => !key.startsWith('image/'));
const ofRelay = (uid: string) => rig.fleet.keysOn('host-1').filter((key) => key.includes(uid));
const lampOf = (uid: string) => rig.fleet.host('host-1')!.resources.get(`lamp/${uid}.lamp`)!.spec as unknown;
const failing =
  (type: string, verb: string, reason: string) =>
  (_: string, v: string, { kind }: HostResource) =>
    (kind as string) === type && v === verb ? terminal(reason, 'it is broken') : undefined;

async function made(): Promise<string> {
  await rig.create('Relay', 'one', relaySpec());
  return (await rig.ready('Relay', 'one')).metadata.uid;
}

describe('a placed kind that nothing knows', () => {
  it('is made on a host, with what it stands on, and holds what it claims', async () => {
    const uid = await made();
    const l2 = rig.get('L2Network', 'lab')!.metadata.uid;
    expect(rig.get('Relay', 'one')!.status).toMatchObject({ host: 'host-1', channel: 7, network: l2 });
    expect(condition(rig.get('Relay', 'one'), 'Ready')).toMatchObject({ status: 'True', reason: 'Sends' });
    expect(onHost()).toEqual([`bridge/${l2}`, `lamp/${uid}.lamp`, `mast/${uid}.mast`]);
    const [command] = rig.fleet.sent.filter((sent) => sent.command.owner === uid);
    expect(command!.command.steps.map(({ id }) => id)).toEqual([
      `make bridge/${l2}`,
      `make mast/${uid}.mast`,
      `make lamp/${uid}.lamp`,
    ]);
    expect((await rig.store.get('/alloc/channel/7'))?.value).toBe(uid);
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":1,"memoryMiB":0,"instances":0}');
    expect(await rig.keys('/flows/')).toEqual([]);
    expect(rig.context.holdings.on('host-1')).toEqual([uid]);
  });

  it('is undone whole when a step fails, says why, is not tried again, and is made when a person asks', async () => {
    rig.fleet.fault = failing('lamp', 'ensure', 'NoPower');
    await rig.create('Relay', 'one', relaySpec());
    const failed = await rig.stalled('Relay', 'one');
    expect(condition(failed, 'Ready')).toMatchObject({ reason: 'NoPower' });
    expect(condition(failed, 'Ready')!.message).toContain('undone: the mast was removed');
    expect(ofRelay(failed.metadata.uid)).toEqual([]);
    expect(await rig.keys('/alloc/channel/')).toEqual([]);
    const record = (await rig.store.get(keys.flow(failed.metadata.uid)))!.value;
    expect(readText(record)).toMatchObject({ kind: 'Relay', direction: 'failed' });
    rig.fleet.fault = () => undefined;
    await rig.edit('Relay', 'one', (o) => (o.metadata.annotations = { 'plumb.dev/retry': '1' }));
    await rig.ready('Relay', 'one');
  });

  it('gets what it claims alone, and waits for nothing that another holds', async () => {
    await made();
    await rig.create('Relay', 'two', relaySpec());
    expect(condition(await rig.stalled('Relay', 'two'), 'Ready')).toMatchObject({
      reason: 'ChannelTaken',
      message: 'channel 7 is held by Relay default/one',
    });
    await rig.edit('Relay', 'two', (o) => (o.spec.channel = 8));
    await rig.ready('Relay', 'two');
    expect(await rig.keys('/alloc/channel/')).toEqual(['/alloc/channel/7', '/alloc/channel/8']);
  });

  it('is changed as declared, and put back as it was when that fails', async () => {
    const uid = await made();
    await rig.edit('Relay', 'one', (o) => Object.assign(o.spec, { channel: 9, colour: 'green' }));
    await rig.until('Relay', 'one', (o) => o?.status?.channel === 9);
    expect(lampOf(uid)).toMatchObject({ channel: 9, colour: 'green', watts: 10 });
    expect(await rig.keys('/alloc/channel/')).toEqual(['/alloc/channel/9']);
    let broken = true;
    rig.fleet.fault = (_, __, { kind, spec }) =>
      broken && (kind as string) === 'lamp' && (spec as unknown as { watts: number }).watts === 99
        ? terminal('Overload', 'it burns')
        : undefined;
    await rig.edit('Relay', 'one', (o) => Object.assign(o.spec, { channel: 10, watts: 99 }));
    const failed = await rig.stalled('Relay', 'one');
    expect(condition(failed, 'Ready')!.message).toContain('undone: the mast was put back as it was');
    expect(lampOf(uid)).toMatchObject({ channel: 9, watts: 10 });
    expect(await rig.keys('/alloc/channel/')).toEqual(['/alloc/channel/9']);
    // It is held at that, whatever becomes of it.
    rig.fleet.take('host-1', rig.fleet.host('host-1')!.resources.get(`lamp/${uid}.lamp`)!);
    await rig.until('Relay', 'one', (o) => condition(o, 'Drifted')?.reason === 'Repaired');
    expect(lampOf(uid)).toMatchObject({ channel: 9, watts: 10 });
    broken = false;
    await rig.edit('Relay', 'one', (o) => (o.metadata.annotations = { 'plumb.dev/retry': '1' }));
    await rig.ready('Relay', 'one');
    expect(lampOf(uid)).toMatchObject({ channel: 10, watts: 99 });
  });

  it('is repaired, or its drift only told, as it is declared', async () => {
    const uid = await made();
    const lamp = rig.fleet.host('host-1')!.resources.get(`lamp/${uid}.lamp`)!;
    rig.fleet.take('host-1', lamp);
    await rig.until('Relay', 'one', (o) => condition(o, 'Drifted')?.reason === 'Repaired');
    expect(ofRelay(uid)).toHaveLength(2);
    await rig.edit('Relay', 'one', (o) => (o.spec.driftPolicy = 'Report'));
    await rig.until(
      'Relay',
      'one',
      (o) => o?.status?.observedGeneration === 2 && condition(o, 'Ready')?.status === 'True',
    );
    rig.fleet.take('host-1', lamp);
    await rig.until('Relay', 'one', (o) => condition(o, 'Drifted')?.reason === 'Found');
    expect(ofRelay(uid)).toHaveLength(1);
  });

  it('is changed by what it refers to, which is no drift, also where drift is only told', async () => {
    await rig.create('Relay', 'one', relaySpec({ driftPolicy: 'Report' }));
    const { uid } = (await rig.ready('Relay', 'one')).metadata;
    const applied = () => rig.get('Relay', 'one')!.status!.applied;
    const before = applied();
    expect(before).toMatch(/^[\w-]{11}$/);
    await rig.edit('Zone', 'home', (o) => (o.spec.description = 'on the hill'));
    await rig.until('Relay', 'one', (o) => o?.status?.applied !== before);
    expect(lampOf(uid)).toMatchObject({ place: 'on the hill' });
    expect(condition(rig.get('Relay', 'one'), 'Drifted')).toBeUndefined();
    // What comes to the same is no change; and what differs then is drift.
    await rig.edit('Zone', 'home', (o) => (o.metadata.labels = { a: 'b' }));
    rig.fleet.take('host-1', rig.fleet.host('host-1')!.resources.get(`lamp/${uid}.lamp`)!);
    await rig.until('Relay', 'one', (o) => condition(o, 'Drifted')?.reason === 'Found');
    expect(ofRelay(uid)).toEqual([`mast/${uid}.mast`]);
  });

  it('goes on after a crash of the control plane, by a record that says its kind', async () => {
    rig.fleet.fault = (_, __, { kind }) => ((kind as string) === 'lamp' ? retryable('Busy', 'busy') : undefined);
    await rig.create('Relay', 'one', relaySpec());
    await rig.until('Relay', 'one', (o) => condition(o, 'Ready')?.reason === 'Busy');
    expect(ofRelay(uidOf())).toHaveLength(1);
    await rig.stop();
    const record = (await rig.store.get(keys.flow(uidOf())))!.value;
    expect(readText(record)).toMatchObject({ kind: 'Relay', target: { host: 'host-1', channel: 7 } });
    rig.fleet.fault = () => undefined;
    rig = await startRig({ store: rig.store, fleet: rig.fleet, kinds: modules });
    await rig.ready('Relay', 'one');
    expect(await rig.keys('/flows/')).toEqual([]);
  });

  it('of a plan that was not carried out is read as set aside where the kind is not known, and others go on', async () => {
    rig.fleet.fault = (_, __, { kind }) => ((kind as string) === 'lamp' ? retryable('Busy', 'busy') : undefined);
    await rig.create('Relay', 'one', relaySpec());
    await rig.until('Relay', 'one', (o) => condition(o, 'Ready')?.reason === 'Busy');
    const uid = uidOf();
    await rig.stop();
    rig = await startRig({
      store: rig.store,
      fleet: rig.fleet,
      kinds: kindModules.filter(({ kind }) => kind !== relay),
    });
    expect(rig.context.journal.unreadable(uid)).toBe(
      'is of kind "Relay", and no objects of such a kind are placed here',
    );
    expect(ofRelay(uid)).toHaveLength(1);
    await rig.ready('Zone', 'home');
  });

  it('goes with all that it has, and what it stood on goes when nothing stands there any more', async () => {
    const uid = await made();
    await rig.remove('Relay', 'one');
    await rig.gone('Relay', 'one');
    await expect.poll(onHost).toEqual([]);
    expect(rig.fleet.sent.filter(({ command }) => command.owner === uid).at(-1)!.command.steps).toMatchObject([
      { verb: 'remove', resource: { kind: 'lamp' } },
      { verb: 'remove', resource: { kind: 'mast' } },
    ]);
    expect(await rig.keys('/alloc/channel/')).toEqual([]);
    expect((await rig.store.get('/alloc/host/host-1'))?.value).toBe('{"cpus":0,"memoryMiB":0,"instances":0}');
    expect(await rig.keys('/deleted/')).toContain(keys.deleted(uid));
  });

  it('keeps its host from being deleted, goes with it in a cascade, and a person may end its flow', async () => {
    const uid = await made();
    const host = keys.object('hosts', undefined, 'host-1');
    expect(cascadeFrom(rig.context, [host]).map(({ cached }) => cached.key)).toEqual([
      keys.object('relays', 'default', 'one'),
      host,
    ]);
    await rig.remove('Host', 'host-1');
    const blocked = await rig.until('Host', 'host-1', (o) => condition(o, 'Ready')?.reason === 'DeletionBlocked');
    expect(condition(blocked, 'Ready')!.message).toContain('Relay default/one');
    rig.fleet.fault = failing('mast', 'remove', 'IoError');
    await rig.remove('Relay', 'one');
    const stuck = await rig.until('Relay', 'one', (o) => condition(o, 'Ready')?.reason === 'Stuck');
    expect(condition(stuck, 'Ready')!.message).toContain('plumb flows abandon relay/default/one');
    await abandonFlow(rig.context, uid);
    await rig.gone('Relay', 'one');
    rig.fleet.fault = () => undefined;
    await rig.gone('Host', 'host-1');
  });

  it('goes on elsewhere when its host is off, since it has nothing to lose there', async () => {
    const uid = await made();
    await rig.create('Host', 'host-2', rig.get('Host', 'host-1')!.spec);
    rig.fleet.connect('host-2');
    await rig.ready('Host', 'host-2');
    rig.fleet.disconnect('host-1');
    await fenceHost(rig.context, 'host-1', 'ada');
    await rig.until('Relay', 'one', (o) => o?.status?.host === 'host-2' && condition(o, 'Ready')?.status === 'True');
    expect(rig.fleet.keysOn('host-2')).toContain(`lamp/${uid}.lamp`);
    expect(await rig.keys('/alloc/channel/')).toEqual(['/alloc/channel/7']);
  });

  it('is previewed by the same plan', async () => {
    await rig.ready('L2Network', 'lab');
    await rig.ready('Host', 'host-1');
    const declared = { kind: 'Relay', metadata: { name: 'one', namespace: 'default' }, spec: relaySpec() };
    const again = { ...declared, metadata: { ...declared.metadata, name: 'two' } };
    const [one, two] = preview(rig.context, [declared, again] as never);
    expect(one!.steps.map(({ host }) => host)).toEqual(['host-1', 'host-1', 'host-1']);
    expect(two!.problem).toMatchObject({ reason: 'ChannelTaken' });
    expect(await rig.keys('/alloc/channel/')).toEqual([]);
  });
});
