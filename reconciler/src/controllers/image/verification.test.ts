import { type PlumbError, type PlumbObject, realAmbient, retryable, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeFleet } from '../../fleet/testing/fake-fleet.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { MemoryStore } from '../../store/memory.ts';
import { condition, hostSpec, makeHost } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

const SUM = 'a'.repeat(64);
const spec = (more: object = {}) => ({
  ...{ url: 'https://me:secret@example.org/a', sha256: SUM, format: 'qcow2', maxSizeMiB: 100 },
  ...more,
});

let clock: FakeClock;
let store: MemoryStore;
let fleet: FakeFleet;
let rig: Rig;

beforeEach(async () => {
  clock = new FakeClock();
  store = new MemoryStore();
  fleet = new FakeFleet();
  rig = await start();
  await makeHost(rig);
});
afterEach(async () => {
  for (const { name } of [...fleet.hosts()]) fleet.disconnect(name);
  await rig.stop();
});

const start = () => startRig({ store, fleet, ambient: { ...realAmbient(), clock } });
const image = () => rig.get('Image', 'tiny');
const ready = (object: PlumbObject | undefined = image()) => condition(object, 'Ready');
const asked = () =>
  fleet.sent.flatMap(({ command }) => command.steps).filter(({ resource }) => resource.kind === 'image');
const askedHosts = () =>
  fleet.sent.filter(({ command }) => command.steps[0]?.resource.kind === 'image').map(({ host }) => host);
const touch = (annotations: Record<string, string>) =>
  rig.edit('Image', 'tiny', (object) => {
    object.metadata.annotations = annotations;
  });
const isFetching = (object: PlumbObject | undefined) => ready(object)?.reason === 'Fetching';

describe('what was refused for good', () => {
  const because = (reason: string) => {
    fleet.fault = (_host, _verb, resource) => (resource.kind === 'image' ? terminal(reason, 'it is wrong') : undefined);
  };
  /** All that comes and goes in an estate and makes images be looked at. */
  async function bustle(): Promise<void> {
    for (const host of ['host-2', 'host-0']) {
      await rig.create('Host', host, hostSpec);
      fleet.connect(host);
      await clock.advance(5_000);
    }
    for (let times = 0; times < 3; times++) {
      fleet.disconnect('host-1');
      await clock.advance(5_000);
      fleet.connect('host-1');
      await clock.advance(5_000);
    }
    await rig.create('Instance', 'waits', {
      ...{ zone: 'home', offering: 'none', image: 'tiny', interfaces: [{ name: 'eth0', l3Network: 'none' }] },
      ...{ power: 'Running', restartPolicy: 'OnFailure', driftPolicy: 'Repair', allowDataLoss: false },
    });
    await clock.advance(60_000);
  }

  test.each(['ChecksumMismatch', 'ImageInvalid', 'ImageTooLarge', 'ImageTooSlow'])(
    '%s is fetched once more, by another host, and then not again, whatever happens around it',
    async (reason) => {
      because(reason);
      await rig.create('Image', 'tiny', spec());
      await rig.stalled('Image', 'tiny');
      const said: unknown[] = [];
      const end = rig.cache.onChange((change) => {
        if (change.after?.object.kind === 'Image') said.push(ready(change.after.object)?.reason);
      });
      await bustle();
      end();
      expect(askedHosts()).toEqual(['host-1', 'host-2']);
      expect(said.filter((word) => word !== reason)).toEqual([]);
      expect(ready()).toMatchObject({ status: 'False', reason, message: 'it is wrong (hosts host-1, host-2)' });
    },
  );

  test('is not fetched again by a control plane that begins anew', async () => {
    because('ChecksumMismatch');
    await rig.create('Image', 'tiny', spec());
    await rig.stalled('Image', 'tiny');
    await rig.stop();
    fleet.disconnect('host-1');
    rig = await start();
    await clock.advance(5_000);
    fleet.connect('host-1');
    await bustle();
    expect(asked()).toHaveLength(1);
    expect(ready()).toMatchObject({ reason: 'ChecksumMismatch' });
    await touch({ 'plumb.dev/retry': '1' });
    await clock.advance(5_000);
    expect(askedHosts()).toEqual(['host-1', 'host-0', 'host-1']);
  });

  test.each<[string, (object: PlumbObject) => void]>([
    ['another URL', (object) => Object.assign(object.spec, { url: 'https://example.org/b' })],
    ['another checksum', (object) => Object.assign(object.spec, { sha256: 'b'.repeat(64) })],
    ['a wish to try it again', (object) => Object.assign(object.metadata, { annotations: { 'plumb.dev/retry': 'x' } })],
  ])('is fetched again with %s, once', async (_what, change) => {
    because('ChecksumMismatch');
    await rig.create('Image', 'tiny', spec());
    await rig.stalled('Image', 'tiny');
    await rig.edit('Image', 'tiny', change);
    await clock.advance(60_000);
    expect(asked()).toHaveLength(2);
    fleet.fault = () => undefined;
    await rig.edit('Image', 'tiny', change); // The same again is no change.
    await clock.advance(60_000);
    expect(asked()).toHaveLength(2);
    await touch({ 'plumb.dev/retry': 'other' });
    await clock.advance(1_000);
    expect(ready()).toMatchObject({ status: 'True', reason: 'Verified' });
  });

  test('by the rules of a host is tried again when its agent was started anew, and names the host', async () => {
    because('ImageSourceRefused');
    await rig.create('Image', 'tiny', spec());
    await rig.stalled('Image', 'tiny');
    expect(ready()?.message).toBe('it is wrong (host host-1)');
    await clock.advance(60_000);
    expect(asked()).toHaveLength(1);
    fleet.fault = () => undefined;
    fleet.disconnect('host-1');
    fleet.connect('host-1');
    await clock.advance(5_000);
    expect(ready()).toMatchObject({ status: 'True', reason: 'Verified' });
  });
});

describe('a fetch that brings nothing', () => {
  beforeEach(async () => {
    fleet.stalled.add(spec().url);
    await rig.create('Image', 'tiny', spec());
  });

  test('says so, and how far it is, in a condition of its own', async () => {
    fleet.progress = { bytes: 5 * 1024 ** 2, ofBytes: 300 * 1024 ** 2 };
    await touch({ any: 'resource' });
    await clock.advance(1_000);
    const object = await rig.until('Image', 'tiny', isFetching);
    expect(ready(object)).toMatchObject({ status: 'False', message: 'host host-1 fetches https://example.org/a' });
    expect(condition(object, 'Fetching')?.status).toBe('True');
    expect(JSON.stringify(object?.status)).not.toContain('secret');
    await rig.edit('Image', 'tiny', (it) => Object.assign(it.spec, { maxSizeMiB: 50 }));
    await clock.advance(11_000);
    expect(condition(image(), 'Fetching')).toMatchObject({ message: 'host host-1 has 5 of 300 MiB of it' });
  });

  test('ends when the image is deleted, and the image goes at once', async () => {
    await clock.advance(1_000);
    await rig.remove('Image', 'tiny');
    await rig.gone('Image', 'tiny');
    expect(fleet.keysOn('host-1')).toEqual([]);
  });

  test('ends when the image is declared otherwise, and that is fetched', async () => {
    await clock.advance(1_000);
    await rig.edit('Image', 'tiny', (object) => Object.assign(object.spec, { url: 'https://example.org/good' }));
    const object = await rig.ready('Image', 'tiny');
    expect(ready(object)).toMatchObject({ reason: 'Verified', message: 'its checksum was verified on host host-1' });
    expect(condition(object, 'Fetching')).toBeUndefined();
  });

  test('goes on when only a word of the image changes', async () => {
    await clock.advance(1_000);
    await touch({ any: 'resource' });
    await clock.advance(5_000);
    expect(asked()).toHaveLength(1);
  });

  test('keeps no other image waiting, however many of them there are', async () => {
    for (let n = 0; n < 100; n++) await rig.create('Image', `slow-${n}`, spec());
    await rig.create('Image', 'good', spec({ url: 'https://example.org/good', sha256: 'b'.repeat(64) }));
    await rig.ready('Image', 'good');
  });
});

test('what fails for the moment is tried again, and leaves no word of a fetch behind', async () => {
  fleet.fault = () => retryable('ImageUnavailable', 'its server is away');
  await rig.create('Image', 'tiny', spec());
  await rig.until('Image', 'tiny', (object) => ready(object)?.reason === 'ImageUnavailable');
  expect(condition(image(), 'Reconciling')?.status).toBe('True');
  expect(condition(image(), 'Fetching')).toBeUndefined();
  fleet.fault = () => undefined;
  await clock.advance(60_000);
  await rig.ready('Image', 'tiny');
});

test.each([
  ['does not answer', () => fleet.silent.set('host-0', retryable('HostNotAnswering', 'it does not answer'))],
  [
    'says that no guest can be made there',
    () => fleet.report('host-0', { reason: 'Broken', message: 'm', blocking: true }),
  ],
])('a host that %s is not the one that is asked for an image, while there is another', async (_, befall) => {
  await rig.create('Host', 'host-0', hostSpec);
  fleet.connect('host-0');
  befall();
  fleet.fault = (host, _verb, resource) =>
    host === 'host-0' && resource.kind === 'image' ? retryable('HostNotAnswering', 'it does not answer') : undefined;
  await rig.create('Image', 'tiny', spec());
  await rig.until('Image', 'tiny', (object) => ready(object)?.reason === 'Verified');
  expect(ready()?.message).toContain('host-1');
});

describe('what one host says of an image', () => {
  const liar = 'host-0';
  const says = (error: PlumbError) => {
    fleet.fault = (host, _verb, resource) => (host === liar && resource.kind === 'image' ? error : undefined);
  };
  beforeEach(async () => {
    await rig.create('Host', liar, hostSpec);
    fleet.connect(liar);
    await clock.advance(5_000);
  });

  test.each([
    terminal('ChecksumMismatch', 'another sum'),
    terminal('ImageInvalid', 'no image'),
    terminal('ImageSourceRefused', 'not from there'),
    terminal('MadeUp', 'for good'),
    retryable('ImageUnavailable', 'its server is away'),
    retryable('HostRefused', 'not now'),
  ])('that is not so stops no other: $reason', async (error) => {
    says(error);
    await rig.create('Image', 'tiny', spec());
    await rig.ready('Image', 'tiny');
    expect(ready()?.message).toBe('its checksum was verified on host host-1');
    await clock.advance(120_000);
    expect(askedHosts()).toEqual([liar, 'host-1']);
  });

  test.each([
    ['says nothing', undefined],
    ['says how far it is, and is never done', { bytes: 1, ofBytes: 10 }],
  ])('and then %s stops no other', async (_, progress) => {
    fleet.hung.add(liar);
    await rig.create('Image', 'tiny', spec());
    let bytes = 0;
    for (let n = 0; n < 40 && ready()?.status !== 'True'; n++) {
      if (progress) fleet.tellProgress(liar, { bytes: ++bytes, ofBytes: 10 });
      await clock.advance(10_000);
    }
    expect(ready()).toMatchObject({ status: 'True', reason: 'Verified' });
    expect(ready()?.message).toContain('host-1');
    // Nobody waits for it any more, and it is told so.
    expect(fleet.cancelled).toEqual([liar]);
  });

  test('of which only one is there is said with its name, and another that comes is asked', async () => {
    fleet.disconnect('host-1');
    says(terminal('ChecksumMismatch', 'another sum'));
    await rig.create('Image', 'tiny', spec());
    await rig.stalled('Image', 'tiny');
    expect(ready()?.message).toBe('another sum (host host-0)');
    fleet.connect('host-1');
    await clock.advance(5_000);
    expect(ready()).toMatchObject({ status: 'True', reason: 'Verified' });
  });
});
