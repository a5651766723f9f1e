/** User data that is in a Secret: what is planned, stored and told has a hash of it, and never the text. */
import { type HostResource, type LiveResource, type PlumbObject, terminal } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { UserData } from '../../runtime/user-data.ts';
import { keys } from '../../store/keys.ts';
import { encodeObject } from '../../store/object-codec.ts';
import { condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

const TEXT = '#cloud-config\npassword: TOP-SECRET\n';
const from = { secret: 'web', key: 'user-data' };

let rig: Rig;
beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});
afterEach(() => rig.stop());

async function write(data: Record<string, string>): Promise<void> {
  const key = keys.object('secrets', 'default', 'web');
  const values = Object.fromEntries(
    Object.entries(data).map(([name, text]) => [name, Buffer.from(text).toString('base64')]),
  );
  const metadata = { name: 'web', namespace: 'default', uid: 's-1', creationTimestamp: '2026-01-01T00:00:00Z' };
  const object = { apiVersion: 'v1', kind: 'Secret', metadata, type: 'Opaque', data: values } as unknown as PlumbObject;
  await rig.store.commit({ preconditions: [], ops: [{ type: 'put', key, value: encodeObject(object) }] });
}

const seedOf = (uid: string) => rig.fleet.host('host-1')!.resources.get(`seed/${uid}.seed`) as LiveResource<'seed'>;

test('waits for its Secret and for the key in it, and says so', async () => {
  await rig.create('Instance', 'web-0', instanceSpec({ userDataFrom: from }));
  const waits = (message: string) =>
    rig.until('Instance', 'web-0', (o) => {
      const ready = o && condition(o, 'Ready');
      return ready?.reason === 'ReferenceNotFound' && ready.message.includes(message);
    });
  await waits('spec.userDataFrom.secret: there is no Secret web yet');
  await write({ other: 'x' });
  await waits('Secret web has no value user-data');
  await write({ 'user-data': TEXT });
  await rig.ready('Instance', 'web-0');
});

test('the seed says where the text is, and which one; the text is in nothing that is stored or sent by plans', async () => {
  await write({ 'user-data': TEXT });
  await rig.create('Instance', 'web-0', instanceSpec({ userDataFrom: from }));
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  expect(seedOf(uid).spec).toMatchObject({
    instanceId: expect.stringMatching(`^${uid}-[0-9a-f]{12}$`),
    userDataFrom: { secret: 'default/web', key: 'user-data', hash: new UserData(Buffer.alloc(32)).hash(TEXT) },
  });
  expect(seedOf(uid).spec).not.toHaveProperty('userData');
  expect(JSON.stringify(rig.fleet.sent)).not.toContain('TOP-SECRET');
  const { entries } = await rig.store.list('/');
  const holders = entries.filter(({ value }) => value.includes(Buffer.from(TEXT).toString('base64').slice(0, 20)));
  expect(holders.map(({ key }) => key)).toEqual([keys.object('secrets', 'default', 'web')]);
});

test('a changed Secret is like changed user data: a new seed, no disturbance; another key of it is no change', async () => {
  await write({ 'user-data': TEXT });
  await rig.create('Instance', 'web-0', instanceSpec({ userDataFrom: from }));
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  const before = seedOf(uid).spec.instanceId;
  const sent = rig.fleet.sent.length;
  await write({ 'user-data': TEXT, other: 'y' });
  await write({ 'user-data': `${TEXT}more: 1\n`, other: 'y' });
  await expect.poll(() => seedOf(uid).spec.instanceId).not.toBe(before);
  await rig.ready('Instance', 'web-0');
  const steps = rig.fleet.sent.slice(sent).flatMap(({ command }) => command.steps.map(({ id }) => id));
  expect(steps).toEqual([`change seed/${uid}.seed`]);
});

test('the text is joined while it is the one that was planned', () => {
  const userData = new UserData(Buffer.alloc(32, 1));
  const seed = (hash: string): HostResource<'seed'> => ({
    ...{ kind: 'seed', id: 'o.seed', owner: 'o' },
    spec: { instanceId: 'i', hostname: 'h', sshKeys: [], userDataFrom: { secret: 'default/web', key: 'a', hash } },
  });
  const read = (data?: Record<string, string>) => ({ get: () => data && ({ object: { data } } as never) });
  const encoded = Buffer.from(TEXT).toString('base64');
  const joined = userData.join(read({ a: encoded }), seed(userData.hash(TEXT)));
  expect(joined.spec.userData).toBe(TEXT);
  const refusal = (data: Record<string, string> | undefined, hash = userData.hash(TEXT)) => {
    try {
      userData.join(read(data), seed(hash));
    } catch (error) {
      return error;
    }
    return undefined;
  };
  expect(refusal({ a: encoded }, new UserData(Buffer.alloc(32, 2)).hash(TEXT))).toMatchObject({
    reason: 'UserDataChanged',
  });
  const wrong: (Record<string, string> | undefined)[] = [undefined, {}, { b: encoded }, { a: '/w==' }];
  for (const data of [...wrong, { a: Buffer.alloc(65_537).toString('base64') }])
    expect(refusal(data)).toMatchObject({ reason: 'ReferenceNotFound', retry: 'retry' });
  const other: HostResource<'seed'> = {
    ...seed(''),
    spec: { instanceId: 'i', hostname: 'h', sshKeys: [], userData: 'x' },
  };
  expect(userData.join(read(), other)).toBe(other);
});

test('what failed is tried again when the Secret says something else', async () => {
  await write({ 'user-data': TEXT });
  rig.fleet.fault = (_, verb, { kind }) =>
    verb === 'ensure' && kind === 'seed' ? terminal('SeedRefused', 'it cannot be read') : undefined;
  await rig.create('Instance', 'web-0', instanceSpec({ userDataFrom: from }));
  await rig.stalled('Instance', 'web-0');
  rig.fleet.fault = () => undefined;
  await write({ 'user-data': `${TEXT}# mended` });
  await rig.ready('Instance', 'web-0');
});

test('another text is a change and no drift: the seed follows it also where drift is only told', async () => {
  await write({ 'user-data': TEXT });
  await rig.create('Instance', 'web-0', instanceSpec({ userDataFrom: from, driftPolicy: 'Report' }));
  const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
  const before = seedOf(uid).spec.userDataFrom!.hash;
  await write({ 'user-data': `${TEXT}# more` });
  await rig.until('Instance', 'web-0', (o) => {
    const changed = o !== undefined && condition(o, 'RestartRequired') !== undefined;
    return changed || seedOf(uid).spec.userDataFrom!.hash !== before;
  });
  await rig.ready('Instance', 'web-0');
  expect(seedOf(uid).spec.userDataFrom!.hash).not.toBe(before);
  expect(condition(rig.get('Instance', 'web-0'), 'Drifted')).toBeUndefined();
});
