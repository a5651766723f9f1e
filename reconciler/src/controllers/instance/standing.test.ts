import type { DomainFacts, LiveResource } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { placedContext } from '../placed/placed-kind.ts';
import { judge } from '../placed/verdict.ts';
import { condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { instancePlaced } from './placed.ts';

let rig: Rig;
let uid: string;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

const RISK = 'its disk vda is /x/overlay.qcow2: virsh blockcommit';
const running = { state: 'running', reason: 'booted', maxCpus: 4 } as const;

async function create(more: object = {}): Promise<void> {
  await rig.create('Instance', 'web-0', instanceSpec(more));
  uid = (await rig.ready('Instance', 'web-0')).metadata.uid;
}

const domain = () => rig.fleet.host('host-1')!.resources.get(`domain/${uid}`) as LiveResource<'domain'>;
const found = (facts: DomainFacts) => rig.fleet.put('host-1', { ...domain(), domain: facts });
const until = (test: (o: Awaited<ReturnType<Rig['ready']>>) => boolean) =>
  rig.until('Instance', 'web-0', (o) => o !== undefined && test(o));
const verdict = () => judge(placedContext(rig.context, instancePlaced), rig.context.read.byUid(uid) as never).verdict;
const sentToDomain = () =>
  rig.fleet.sent.flatMap(({ command }) => command.steps).filter(({ resource }) => resource.kind === 'domain').length;

describe('an instance whose disk is in a file of somebody else', () => {
  it('says so while it runs, and is not touched; when it is brought back, all is well', async () => {
    await create();
    const sent = sentToDomain();
    found({ ...running, atRisk: RISK });
    const drifted = await until((o) => condition(o, 'Drifted')?.status === 'True');
    expect(condition(drifted, 'Drifted')).toMatchObject({ reason: 'DataLoss', message: RISK });
    expect(condition(drifted, 'Ready')).toMatchObject({ status: 'True', reason: 'Running' });
    expect(verdict()).toBe('differs');
    expect(sentToDomain()).toBe(sent);
    found(running);
    const well = await until((o) => condition(o, 'Drifted')?.status === 'False');
    expect(condition(well, 'Drifted')).toMatchObject({ reason: 'Equal' });
    expect(verdict()).toBe('same');
  });

  it.each(['crashed', 'destroyed', 'panicked'] as const)(
    'is not started when it %s, and goes on by itself when that is safe',
    async (reason) => {
      await create();
      const sent = sentToDomain();
      found({ state: 'off', reason, atRisk: RISK });
      const stalled = await rig.stalled('Instance', 'web-0');
      for (const type of ['Ready', 'Stalled', 'Drifted'])
        expect(condition(stalled, type)).toMatchObject({ reason: 'DataLoss', message: expect.stringContaining(RISK) });
      expect(sentToDomain()).toBe(sent);
      found({ state: 'off', reason });
      const again = await rig.ready('Instance', 'web-0');
      expect(domain().domain?.state).toBe('running');
      expect(condition(again, 'Stalled')).toBeUndefined();
    },
  );

  it('is switched off when that is declared, keeps its size while its offering changes, and is deleted', async () => {
    await create();
    found({ ...running, atRisk: RISK });
    await until((o) => condition(o, 'Drifted')?.status === 'True');
    const sent = sentToDomain();
    await rig.edit('InstanceOffering', 'small', (o) => Object.assign(o.spec, { cpus: 2 }));
    await until((o) => condition(o, 'RestartRequired')?.reason === 'OfferingChanged');
    expect(sentToDomain()).toBe(sent);
    await rig.edit('Instance', 'web-0', (o) => (o.spec.power = 'Stopped'));
    await until((o) => o.status?.power === 'Stopped' && condition(o, 'Ready')?.status === 'True');
    found({ state: 'off', reason: 'shutdown', atRisk: RISK });
    await rig.edit('Instance', 'web-0', (o) => (o.spec.power = 'Running'));
    await rig.stalled('Instance', 'web-0');
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
  });
});

describe('an instance that QEMU holds', () => {
  it('is not Ready while it lasts, with the reason, and nobody is asked to do anything', async () => {
    await create();
    const sent = sentToDomain();
    const why = 'QEMU holds the guest, since there is no space left for its disk vda';
    found({ ...running, paused: why });
    const held = await until((o) => condition(o, 'Ready')?.status === 'False');
    expect(condition(held, 'Ready')).toMatchObject({ reason: 'GuestPaused', message: why });
    expect(condition(held, 'Reconciling')?.status).toBe('True');
    expect(condition(held, 'Stalled')).toBeUndefined();
    expect([verdict(), sentToDomain()]).toEqual(['differs', sent]);
    found(running);
    const well = await rig.ready('Instance', 'web-0');
    expect([condition(well, 'Drifted')?.status, condition(well, 'Reconciling')]).toEqual(['False', undefined]);
  });
});

describe('an instance that runs as it was started', () => {
  it('says that it sees an older seed, or was edited, until it is next started; it stays Ready', async () => {
    await create();
    found({ ...running, oldSeed: true });
    const old = await until((o) => condition(o, 'RestartRequired') !== undefined);
    expect(condition(old, 'RestartRequired')).toMatchObject({
      status: 'True',
      reason: 'SeedChanged',
      message: expect.stringMatching(/userData or sshKeys.*not when it reboots by itself/),
    });
    expect(condition(old, 'Drifted')).toBeUndefined();
    found({ ...running, oldSeed: true, edited: 'what runs is otherwise: on_reboot is destroy' });
    const edited = await until((o) => condition(o, 'Drifted')?.status === 'True');
    expect(condition(edited, 'Drifted')).toMatchObject({ reason: 'RestartRequired' });
    expect(condition(edited, 'RestartRequired')?.message).toMatch(/userData.*on_reboot is destroy/);
    expect(condition(edited, 'Ready')?.status).toBe('True');
    found(running);
    const well = await until((o) => condition(o, 'RestartRequired') === undefined);
    expect(condition(well, 'Drifted')?.status).toBe('False');
  });
});

it('a guest whose kernel gave up, and one that was saved away, are started again as a crashed one is', async () => {
  await create();
  for (const [reason, words] of [
    ['panicked', 'domain was ended by its own kernel (panic)'],
    ['saved', 'domain was saved to a file'],
  ] as const) {
    found({ state: 'off', reason });
    const repaired = await until((o) => condition(o, 'Drifted')?.message?.includes(words) ?? false);
    expect(condition(repaired, 'Drifted')).toMatchObject({ status: 'False', reason: 'Repaired' });
    expect(domain().domain?.state).toBe('running');
  }
});
