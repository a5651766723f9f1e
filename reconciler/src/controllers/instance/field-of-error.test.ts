/** What cannot be as declared says which field it is about: in a plan, and in the conditions of what was applied. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { preview } from '../preview.ts';
import { at, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
  await rig.create('Instance', 'first', instanceSpec(at('10.20.0.50')));
  await rig.ready('Instance', 'first');
  await rig.create('InstanceOffering', 'vast', { cpus: 1, memoryMiB: 1_000_000 });
  await rig.ready('InstanceOffering', 'vast');
});

afterEach(() => rig.stop());

it.each([
  ['an address that is held', at('10.20.0.50'), 'DuplicateAddress', 'spec.interfaces[0].addresses[0]'],
  ['an address of elsewhere', at('10.99.0.1'), 'AddressOutsideCIDR', 'spec.interfaces[0].addresses[0]'],
  ['an image that is not there', { image: 'none' }, 'ReferenceNotFound', 'spec.image'],
  ['an offering that is not there', { offering: 'none' }, 'ReferenceNotFound', 'spec.offering'],
  ['an offering that no host can hold', { offering: 'vast' }, 'NoHostFits', 'spec.offering'],
  [
    'a selector that no host matches',
    { hostSelector: { matchLabels: { rack: 'nowhere' } } },
    'NoHostFits',
    'spec.hostSelector',
  ],
  [
    'a network that is not there',
    { interfaces: [{ name: 'eth0', l3Network: 'none' }] },
    'ReferenceNotFound',
    'spec.interfaces[0].l3Network',
  ],
  [
    'user data of a Secret that is not there',
    { userDataFrom: { secret: 'none', key: 'a' } },
    'ReferenceNotFound',
    'spec.userDataFrom.secret',
  ],
])('%s', async (_, more, reason, field) => {
  const [planned] = preview(rig.context, [{ kind: 'Instance', metadata: { name: 'web-0' }, spec: instanceSpec(more) }]);
  expect(planned!.problem).toMatchObject({ reason, field });
  await rig.create('Instance', 'web-0', instanceSpec(more));
  const failed = await rig.until('Instance', 'web-0', (object) =>
    (object?.status?.conditions ?? []).some((is) => is.type === 'Ready' && is.reason === reason),
  );
  const conditions = (failed!.status!.conditions ?? []).filter(({ type }) => type !== 'Orphans');
  expect(conditions.map((is) => [is.reason, is.field])).toEqual([
    [reason, field],
    [reason, field],
  ]);
});

it('another image where data must not be lost', async () => {
  await rig.create('Image', 'other', { url: 'file:///o', sha256: 'b'.repeat(64), format: 'qcow2', maxSizeMiB: 100 });
  await rig.ready('Image', 'other');
  const spec = instanceSpec({ ...at('10.20.0.50'), image: 'other' });
  const [planned] = preview(rig.context, [{ kind: 'Instance', metadata: { name: 'first' }, spec }]);
  expect(planned!.problem).toMatchObject({ reason: 'DataLossNotAllowed', field: 'spec.image', terminal: true });
});
