/** Objects that finalizers of others keep after everything of them is gone. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { at, condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

const FOREIGN = 'example.com/backup';
const finalizers = (kind: string) => ({ finalizers: [`plumb.dev/${kind.toLowerCase()}`, FOREIGN] });

it('an instance whose guest is gone is not Ready, runs nowhere and holds nothing', async () => {
  await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')), finalizers('Instance'));
  await rig.ready('Instance', 'web-0');
  await rig.remove('Instance', 'web-0');
  const kept = await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'Deleted');
  expect(kept!.metadata.finalizers).toEqual([FOREIGN]);
  expect(kept!.status).toMatchObject({ power: 'Stopped', observedGeneration: kept!.metadata.generation });
  expect(Object.keys(kept!.status!).sort()).toEqual(['conditions', 'observedGeneration', 'power']);
  expect(condition(kept, 'Ready')).toMatchObject({ status: 'False', message: expect.stringContaining(FOREIGN) });

  // Its address is another's by now, whatever becomes of the object.
  await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.11')));
  const other = await rig.ready('Instance', 'web-1');
  const before = await rig.keys('/alloc/');
  const revision = rig.get('Instance', 'web-0')!.metadata.resourceVersion;
  await rig.edit('Instance', 'web-0', (o) => Object.assign(o.metadata, { annotations: { note: 'kept' } }));
  await rig.until('Instance', 'web-0', (o) => o?.metadata.resourceVersion !== revision);
  await rig.edit('Instance', 'web-0', (o) => Object.assign(o.metadata, { finalizers: [] }));
  await rig.gone('Instance', 'web-0');
  expect(await rig.keys('/alloc/')).toEqual(before);
  expect(rig.fleet.keysOn('host-1')).toContain(`domain/${other.metadata.uid}`);
});

it.each([
  ['L3Network', 'lab'],
  ['L2Network', 'lab'],
  ['Image', 'tiny'],
  ['InstanceOffering', 'small'],
  ['Host', 'host-1'],
  ['Zone', 'home'],
])('%s is not Ready once nothing is left of it', async (kind, name) => {
  for (const [other, called] of [
    ['L3Network', 'lab'],
    ['L2Network', 'lab'],
    ['Image', 'tiny'],
    ['InstanceOffering', 'small'],
    ['Host', 'host-1'],
  ] as const) {
    if (other === kind) break;
    await rig.remove(other, called);
    await rig.gone(other, called);
  }
  await rig.edit(kind, name, (o) => Object.assign(o.metadata, finalizers(kind)));
  await rig.remove(kind, name);
  const kept = await rig.until(kind, name, (o) => condition(o, 'Ready')?.reason === 'Deleted');
  expect(kept!.metadata.finalizers).toEqual([FOREIGN]);
  expect(kept!.status).not.toHaveProperty('dhcpAddress');
  expect(await rig.keys('/alloc/')).toEqual([]);
});
