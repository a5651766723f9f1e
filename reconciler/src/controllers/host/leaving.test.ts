import { type Instance, type LiveResource, realAmbient, retryable } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;
let clock: FakeClock;

beforeEach(async () => {
  clock = new FakeClock();
  rig = await startRig({ ambient: { ...realAmbient(), clock } });
  await makeEstate(rig);
  await clock.advance(1_000);
});
afterEach(() => rig.stop());

const why = (name: string) => condition(rig.get('Instance', name), 'Ready');
const hostOf = (name: string) => (rig.get('Instance', name) as Instance).status?.host;
const toldTo = (host: string, from: number) =>
  rig.fleet.sent.slice(from).flatMap((sent) => (sent.host === host ? sent.command.steps : []));

describe('a host that is being deleted', () => {
  test('is told to remove resources only, whatever is declared of what it has, and gets no user data', async () => {
    await rig.create('Instance', 'web-0', instanceSpec({ userData: '#cloud-config old' }));
    await clock.advance(2_000);
    await rig.remove('Host', 'host-1');
    await clock.advance(2_000);
    const sent = rig.fleet.sent.length;
    await rig.edit('Instance', 'web-0', (object) => {
      object.spec.userData = '#cloud-config SECRET';
      object.spec.power = 'Stopped';
    });
    await clock.advance(120_000);
    expect(why('web-0')).toMatchObject({ status: 'False', reason: 'HostLeaving' });
    await rig.remove('Instance', 'web-0');
    await clock.advance(120_000);
    const told = toldTo('host-1', sent);
    expect(told.length).toBeGreaterThan(0);
    expect(told.filter(({ verb }) => verb !== 'remove')).toEqual([]);
    expect(JSON.stringify(told)).not.toContain('SECRET');
    expect(rig.get('Host', 'host-1')).toBeUndefined();
  });

  test('loses what was only being made there to another', async () => {
    rig.fleet.fault = (host) => (host === 'host-1' ? retryable('Busy', 'later') : undefined);
    await rig.create('Instance', 'web-0', instanceSpec());
    await clock.advance(2_000);
    await rig.create('Host', 'host-2', hostSpec);
    rig.fleet.connect('host-2');
    await rig.remove('Host', 'host-1');
    rig.fleet.fault = () => undefined;
    const sent = rig.fleet.sent.length;
    await clock.advance(60_000);
    expect(hostOf('web-0')).toBe('host-2');
    expect(toldTo('host-1', sent).filter(({ verb }) => verb !== 'remove')).toEqual([]);
    expect(rig.get('Host', 'host-1')).toBeUndefined();
  });
});

test('what was only being made on a host that does not answer is made elsewhere, after it has removed it', async () => {
  rig.fleet.fault = (host) => (host === 'host-1' ? retryable('HostNotAnswering', 'in time') : undefined);
  await rig.create('Instance', 'web-0', instanceSpec());
  await clock.advance(2_000);
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2');
  rig.fleet.silent.set('host-1', retryable('HostNotAnswering', 'it did not say'));
  rig.fleet.connect('host-1');
  await clock.advance(60_000);
  expect(condition(rig.get('Host', 'host-1'), 'Ready')).toMatchObject({ status: 'False', reason: 'HostNotAnswering' });
  // Nobody knows what it has begun: a second one must not run before that is gone.
  expect(rig.fleet.keysOn('host-2').filter((key) => key.startsWith('domain/'))).toEqual([]);
  await rig.create('Instance', 'web-1', instanceSpec());
  await clock.advance(5_000);
  expect(hostOf('web-1')).toBe('host-2');
  rig.fleet.fault = () => undefined;
  await clock.advance(60_000);
  expect(hostOf('web-0')).toBe('host-2');
  expect(rig.fleet.keysOn('host-1').filter((key) => !key.startsWith('image/'))).toEqual([]);
});

describe('a host that claims to have what is another’s', () => {
  let uid: string;
  let claims: LiveResource[];

  beforeEach(async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    await clock.advance(2_000);
    uid = rig.get('Instance', 'web-0')!.metadata.uid;
    const own = [...rig.fleet.host('host-1')!.resources.values()].filter(({ owner }) => owner === uid);
    claims = own.map((resource) => ({ ...resource, drift: ['it was stolen'] }));
    await rig.create('Host', 'liar', hostSpec);
  });

  test('changes nothing of it, and is told to remove it, but for what it says is a disk', async () => {
    const before = rig.get('Instance', 'web-0');
    const sent = rig.fleet.sent.length;
    rig.fleet.fault = (host) => (host === 'liar' ? retryable('Busy', 'never') : undefined);
    rig.fleet.connect('liar', {}, claims);
    for (let n = 0; n < 20; n++) {
      for (const claim of claims) rig.fleet.put('liar', { ...claim, drift: [`claim ${n}`] } as LiveResource);
      await clock.advance(5_000);
    }
    expect(rig.get('Instance', 'web-0')).toEqual(before);
    expect(toldTo('host-1', sent)).toEqual([]);
    expect(toldTo('liar', sent).length).toBeGreaterThan(0);
    expect(toldTo('liar', sent).filter(({ verb }) => verb !== 'remove')).toEqual([]);
    rig.fleet.fault = () => undefined;
    await clock.advance(60_000);
    expect(rig.fleet.keysOn('liar').filter((key) => key.includes(uid))).toEqual([`disk/${uid}.root`]);
    expect(condition(rig.get('Host', 'liar'), 'Misplaced')?.message).toMatch(
      /^disk .* of Instance default\/web-0 is here/,
    );
    expect(rig.get('Instance', 'web-0')).toEqual(before);
  });

  test('keeps nobody from deleting it, nor itself from being deleted', async () => {
    rig.fleet.fault = (host) => (host === 'liar' ? retryable('Busy', 'never') : undefined);
    rig.fleet.connect('liar', {}, claims);
    await clock.advance(5_000);
    await rig.remove('Instance', 'web-0');
    await clock.advance(5_000);
    expect(rig.get('Instance', 'web-0')).toBeUndefined();
    await rig.create('Instance', 'web-1', instanceSpec());
    await clock.advance(2_000);
    expect(hostOf('web-1')).toBe('host-1');
  });

  test('does not keep itself from being deleted by what it claims', async () => {
    rig.fleet.connect('liar', {}, claims);
    await rig.remove('Host', 'liar');
    await clock.advance(30_000);
    expect(rig.get('Host', 'liar')).toBeUndefined();
  });
});
