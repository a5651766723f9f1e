import { realAmbient, retryable } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { condition, hostSpec, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

const OLD = 'file:///t';
const NEW = 'https://example.org/good';

let clock: FakeClock;
let rig: Rig;

/** The image was verified on one host, and the only other host, on which there is room, cannot get it. */
beforeEach(async () => {
  clock = new FakeClock();
  rig = await startRig({ ambient: { ...realAmbient(), clock } });
  await makeEstate(rig);
  await rig.ready('Image', 'tiny');
  await rig.edit('Host', 'host-1', (host) => Object.assign(host.spec, { unschedulable: true }));
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2');
  await clock.advance(5_000);
});
afterEach(async () => {
  for (const { name } of [...rig.fleet.hosts()]) rig.fleet.disconnect(name);
  await rig.stop();
});

const commands = () => rig.fleet.sent.filter(({ host }) => host === 'host-2').length;

async function startWaiting(): Promise<void> {
  await rig.create('Instance', 'web-0', instanceSpec());
  await clock.advance(2_000);
  expect(commands()).toBe(1);
  expect(condition(rig.get('Instance', 'web-0'), 'Ready')).toMatchObject({ status: 'False', reason: 'Creating' });
}

describe('a create that waits for its image', () => {
  beforeEach(() => {
    rig.fleet.stalled.add(OLD);
  });

  test('ends when the instance is deleted', async () => {
    await startWaiting();
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
    expect(rig.fleet.keysOn('host-2')).toEqual([]);
    await clock.advance(0);
    expect([...rig.context.journal.all()]).toEqual([]);
  });

  test('ends when the instance is declared otherwise', async () => {
    await startWaiting();
    await rig.create('Image', 'other', { url: NEW, sha256: 'b'.repeat(64), format: 'raw', maxSizeMiB: 100 });
    await rig.ready('Image', 'other');
    await rig.edit('Instance', 'web-0', (instance) => Object.assign(instance.spec, { image: 'other' }));
    await clock.advance(5_000);
    await rig.ready('Instance', 'web-0');
    expect(rig.fleet.keysOn('host-2')).toContain(`image/${'b'.repeat(64)}`);
  });

  test('goes on from the new source when the image is declared otherwise', async () => {
    await startWaiting();
    await rig.edit('Image', 'tiny', (image) => Object.assign(image.spec, { url: NEW }));
    await clock.advance(5_000);
    await rig.ready('Instance', 'web-0');
    expect(rig.fleet.host('host-2')?.resources.get(`image/${'a'.repeat(64)}`)?.spec).toMatchObject({ url: NEW });
  });

  test('is not disturbed by anything else', async () => {
    await startWaiting();
    await rig.edit('Instance', 'web-0', (it) => Object.assign(it.metadata, { labels: { a: 'b' } }));
    await rig.edit('Image', 'tiny', (it) => Object.assign(it.metadata, { labels: { a: 'b' } }));
    await clock.advance(20_000);
    expect(commands()).toBe(1);
  });
});

test('a create whose image cannot be had for the moment takes the new source when one is declared', async () => {
  rig.fleet.fault = (host, _verb, resource) =>
    host === 'host-2' && resource.kind === 'image' && resource.spec.url === OLD
      ? retryable('ImageUnavailable', 'its server is away')
      : undefined;
  await rig.create('Instance', 'web-0', instanceSpec());
  await clock.advance(60_000);
  await rig.edit('Image', 'tiny', (image) => Object.assign(image.spec, { url: NEW }));
  await clock.advance(60_000);
  await rig.ready('Instance', 'web-0');
});
