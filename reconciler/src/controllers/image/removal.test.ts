import { realAmbient } from '@plumb/schemas';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

const SUM = 'a'.repeat(64);
const FILE = `image/${SUM}`;
const spec = { url: 'https://example.org/twin', sha256: SUM, format: 'qcow2', maxSizeMiB: 200 };

let clock: FakeClock;
let rig: Rig;
const ownerOf = () => {
  const owner = rig.fleet.host('host-1')?.resources.get(FILE)?.owner;
  return owner && rig.cache.byUid(owner)?.object.metadata.name;
};

beforeEach(async () => {
  clock = new FakeClock();
  rig = await startRig({ ambient: { ...realAmbient(), clock } });
  await makeEstate(rig); // With the image `tiny`, of the same content.
  await rig.ready('Image', 'tiny');
});
afterEach(() => rig.stop());

describe('two images of one content are one file on a host', () => {
  beforeEach(async () => {
    await rig.create('Image', 'twin', spec);
    await rig.ready('Image', 'twin');
  });

  test('whichever is deleted, the file stays for the other, and goes with the last', async () => {
    expect(ownerOf()).toBe('twin');
    await rig.remove('Image', 'twin');
    await rig.gone('Image', 'twin');
    expect(ownerOf()).toBe('tiny');
    await rig.remove('Image', 'tiny');
    await rig.gone('Image', 'tiny');
    expect(rig.fleet.keysOn('host-1')).not.toContain(FILE);
  });

  test('the one that the host does not know it under goes at once, and disturbs nothing', async () => {
    const before = rig.fleet.sent.length;
    await rig.remove('Image', 'tiny');
    await rig.gone('Image', 'tiny');
    expect(ownerOf()).toBe('twin');
    expect(rig.fleet.sent.slice(before)).toEqual([]);
  });

  test('a guest of one does not keep the other from going', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    await clock.advance(5_000);
    await rig.ready('Instance', 'web-0');
    await rig.edit('Image', 'twin', (object) => Object.assign(object.spec, { maxSizeMiB: 300 }));
    await clock.advance(5_000);
    rig.fleet.put('host-1', { ...rig.fleet.host('host-1')!.resources.get(FILE)!, owner: uidOf('twin') });
    await rig.remove('Image', 'twin');
    await rig.gone('Image', 'twin');
    expect(ownerOf()).toBe('tiny');
    expect((await rig.ready('Instance', 'web-0')).metadata.name).toBe('web-0');
  });

  test('an edit that makes one of them another file leaves the old one to the other', async () => {
    await rig.edit('Image', 'twin', (object) => Object.assign(object.spec, { sha256: 'b'.repeat(64) }));
    await clock.advance(5_000);
    await rig.ready('Image', 'twin');
    await clock.advance(5_000);
    expect(ownerOf()).toBe('tiny');
    expect(rig.fleet.keysOn('host-1')).toContain(`image/${'b'.repeat(64)}`);
  });

  test('a host that was away when one was deleted keeps the file for the other', async () => {
    rig.fleet.disconnect('host-1');
    await clock.advance(60_000);
    await rig.remove('Image', 'twin');
    await rig.gone('Image', 'twin');
    rig.fleet.connect('host-1');
    await clock.advance(5_000);
    expect(ownerOf()).toBe('tiny');
  });
});

function uidOf(name: string): string {
  return rig.get('Image', name)!.metadata.uid;
}
