/** The provider over its real protocol, against an API in memory: every way that a resource can go. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { appliedBy, FakeApi, failure } from './testing/fake-api.ts';
import type { ObjectValue } from './value/value.ts';

const TOKEN = 'a-token-that-nobody-may-see';
const HOME = '/apis/plumb.dev/v1/zones/home';

let api: FakeApi;
let core: Core;
let terraform: Connection;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' });
  terraform = await core.configured({ endpoint: api.endpoint, token: TOKEN });
});

afterEach(async () => {
  core.close();
  await api.close();
});

const zone: ObjectValue = { name: 'home', description: 'A note.' };
const limited = (create: string): ObjectValue => ({ ...zone, timeouts: { create, update: create, delete: create } });
const made = async (config: ObjectValue = zone) => (await terraform.apply('plumb_zone', config, null)).state!;

describe('create', () => {
  test('posts, waits for Ready, and holds uid and what was declared', async () => {
    const { state, errors } = await terraform.apply('plumb_zone', { ...zone, labels: { rack: 'a' } }, null);
    expect(errors).toEqual([]);
    expect(state).toMatchObject({
      name: 'home',
      description: 'A note.',
      labels: { rack: 'a' },
      status: { uid: 'uid-1' },
    });
    const sent = api.seen.find(({ onlyNew }) => onlyNew);
    expect(sent).toMatchObject({
      authorization: `Bearer ${TOKEN}`,
      body: { kind: 'Zone', spec: { description: 'A note.' } },
    });
  });

  test('waits for its own generation, over broken watches', async () => {
    api.react = (object) => api.condition({ ...object, metadata: { ...object.metadata } }, 'False', 'Waiting', 'Soon.');
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    api.cutWatches();
    await until(() => api.watching === 1);
    api.condition(api.object(HOME)!, 'True', 'Ready', 'Fine.');
    expect((await applied).errors).toEqual([]);
  });

  test('a create that fails leaves no tainted half (libvirt #423): it ends with reason and sentence, and the object is deleted by uid', async () => {
    api.react = (object) => {
      api.condition(object, 'False', 'NoCapacity', 'No host has 4 CPUs free.');
      api.condition(object, 'True', 'NoCapacity', 'No host has 4 CPUs free.', 'Stalled');
    };
    const { state, errors } = await terraform.apply('plumb_zone', zone, null);
    expect(errors).toEqual(['Zone home is not Ready: NoCapacity | No host has 4 CPUs free.']);
    expect(state).toBeNull();
    expect(api.object(HOME)).toBeUndefined();
    expect(api.seen.at(-1)?.path).toContain('fieldSelector=');
    const deletion = api.seen.find(({ method }) => method === 'DELETE');
    expect(deletion?.body).toMatchObject({ preconditions: { uid: 'uid-1' } });
  });

  test('conditions of an older generation do not count', async () => {
    const old = (type: string) => ({
      type,
      status: 'True' as const,
      reason: 'Old',
      message: 'Of before.',
      observedGeneration: 0,
      lastTransitionTime: '',
    });
    api.react = (object) => api.put(HOME, { ...object, status: { conditions: [old('Ready'), old('Stalled')] } });
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    api.condition(api.object(HOME)!, 'True', 'Ready', 'Fine.');
    expect((await applied).errors).toEqual([]);
  });

  test('a timeout says what it waited for, and takes the object back', async () => {
    api.react = (object) => api.condition(object, 'False', 'HostOffline', 'host-1 has not been heard of.');
    const { state, errors } = await terraform.apply('plumb_zone', limited('300ms'), null);
    expect(errors).toEqual([
      'Zone home is not Ready: Timeout | Zone home is not Ready: HostOffline: host-1 has not been heard of. It took longer than the 300ms that it was given.',
    ]);
    expect(state).toBeNull();
    expect(api.object(HOME)).toBeUndefined();
  });

  test('what cannot be taken back stays in the state, and it is said why', async () => {
    api.held = () => true;
    api.react = (object) => api.condition(object, 'True', 'BadSum', 'The sum differs.', 'Stalled');
    const { state, errors } = await terraform.apply('plumb_zone', limited('300ms'), null);
    expect(state).toMatchObject({ name: 'home', status: { uid: 'uid-1' } });
    expect(errors[0]).toBe('Zone home is not Ready: BadSum | The sum differs.');
    expect(errors[1]).toContain('Zone home could not be deleted again: Timeout');
    expect(errors[1]).toContain('it waits for test');
  });

  test('an object that is there already says how to import it, and is left alone', async () => {
    await made();
    const { state, errors } = await terraform.apply('plumb_zone', zone, null);
    expect(state).toBeNull();
    expect(errors).toEqual([expect.stringContaining('terraform import plumb_zone.NAME home')]);
    expect(errors[0]).toMatch(/^Zone home already exists .*\| name$/s);
    expect(api.object(HOME)?.metadata.uid).toBe('uid-1');
  });

  test('a lost answer is not a second object: what was made is recognised', async () => {
    let lost = false;
    api.fault = ({ onlyNew }) => {
      if (!onlyNew || lost) return undefined;
      lost = true;
      return { drop: true, after: true };
    };
    const { state, errors } = await terraform.apply('plumb_zone', zone, null);
    expect(errors).toEqual([]);
    expect(state).toMatchObject({ annotations: null, status: { uid: 'uid-1' } });
    expect(api.seen.filter(({ onlyNew }) => onlyNew)).toHaveLength(2);
  });

  test('a lost answer does not take over an object of someone else', async () => {
    await made();
    let lost = false;
    api.fault = ({ onlyNew }) => {
      if (!onlyNew || lost) return undefined;
      lost = true;
      return { drop: true };
    };
    expect((await terraform.apply('plumb_zone', zone, null)).errors[0]).toContain('already exists');
  });

  test('field errors of the server are on their attributes, all of them', async () => {
    const causes = [
      { field: 'spec.interfaces[0].l3Network', message: 'names no L3Network of this project' },
      { field: 'spec.offering', message: 'names no InstanceOffering' },
      { field: 'spec.somethingNew', message: 'is odd' },
    ];
    api.fault = ({ onlyNew }) =>
      onlyNew ? { code: 422, body: failure(422, 'Invalid', 'is invalid', causes) } : undefined;
    const web = { name: 'w', zone: 'z', offering: 'o', image: 'i', interfaces: [{ name: 'eth0', l3_network: 'n' }] };
    const { state, errors } = await terraform.apply('plumb_instance', web, null);
    expect(state).toBeNull();
    expect(errors).toEqual([
      'Invalid interfaces[0].l3_network | interfaces[0].l3_network names no L3Network of this project. | interfaces.0.l3_network',
      'Invalid offering | offering names no InstanceOffering. | offering',
      'Invalid spec.somethingNew | spec.somethingNew is odd.',
    ]);
  });

  test('an object that someone deletes meanwhile is an error, and no state', async () => {
    api.react = () => {};
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    api.remove(HOME);
    expect(await applied).toMatchObject({ state: null, errors: [expect.stringContaining('was deleted while')] });
  });
});

describe('read', () => {
  test('what is gone, or was made again by someone else, is not there', async () => {
    const state = await made();
    api.put(HOME, { ...api.object(HOME)!, metadata: { ...api.object(HOME)!.metadata, uid: 'another' } });
    expect((await terraform.read('plumb_zone', state)).state).toBeNull();
    api.remove(HOME);
    expect((await terraform.read('plumb_zone', state)).state).toBeNull();
  });

  test('drift of declared fields and keys is seen, and keys of others are not', async () => {
    const state = await made({ ...zone, labels: { rack: 'a', row: '1' } });
    const object = api.object(HOME)!;
    const labels = { rack: 'b', theirs: 'x' };
    api.put(HOME, { ...object, spec: {}, metadata: { ...object.metadata, labels } });
    const read = await terraform.read('plumb_zone', state);
    expect(read.state).toMatchObject({ description: null, labels: { rack: 'b' }, annotations: null });
  });

  test('a server that is away for a moment is waited for', async () => {
    const state = await made();
    const { port } = api;
    await api.close();
    const read = terraform.read('plumb_zone', state);
    await api.listen(port);
    expect((await read).state).toMatchObject({ name: 'home' });
  });
});

describe('update', () => {
  test('sends what changed, for this uid, and leaves the keys of others alone', async () => {
    const prior = await made({ ...zone, labels: { rack: 'a', row: '1' } });
    const { state, errors } = await terraform.apply('plumb_zone', { name: 'home', labels: { rack: 'b' } }, prior);
    expect(errors).toEqual([]);
    expect(state).toMatchObject({ description: null, labels: { rack: 'b' }, status: { uid: 'uid-1' } });
    const sent = api.seen.findLast(({ method }) => method === 'PATCH');
    expect(sent?.path).toMatch(/\?fieldManager=terraform%3A[0-9a-f]{12}&force=true$/);
    expect(sent?.body).toEqual({
      apiVersion: 'plumb.dev/v1',
      kind: 'Zone',
      metadata: { name: 'home', uid: 'uid-1', labels: { rack: 'b' } },
      spec: {},
    });
    expect(api.object(HOME)).toMatchObject({ metadata: { labels: { rack: 'b' } }, spec: {} });
  });

  test('what another declared is neither taken away nor planned, and what both declared stays', async () => {
    const prior = await made({ ...zone, labels: { rack: 'a', row: '1' } });
    const live = api.object(HOME)!;
    const theirs = {
      apiVersion: 'plumb.dev/v1',
      kind: 'Zone',
      metadata: { name: 'home', labels: { row: '1' } },
      spec: {},
    };
    const declared = { ...theirs, spec: { description: 'A note.' } };
    api.put(HOME, appliedBy('kubectl', live, declared));
    // Declared no more here; the other still does.
    const { state, errors } = await terraform.apply('plumb_zone', { name: 'home' }, prior);
    expect(errors).toEqual([]);
    expect(api.object(HOME)).toMatchObject({ metadata: { labels: { row: '1' } }, spec: { description: 'A note.' } });
    expect(api.object(HOME)?.metadata.labels).not.toHaveProperty('rack');
    // It is the other's: the state does not hold it, so that no plan takes it away.
    expect(state).toMatchObject({ description: null });
    expect((await terraform.read('plumb_zone', state!)).state).toMatchObject({ description: null });
  });

  test('what another has taken is seen as drift, and taken back', async () => {
    const prior = await made();
    const theirs = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'home' }, spec: { description: 'b' } };
    api.put(HOME, appliedBy('kubectl', api.object(HOME)!, theirs));
    expect((await terraform.read('plumb_zone', prior)).state).toMatchObject({ description: 'b' });
    expect((await terraform.apply('plumb_zone', zone, { ...prior, description: 'b' })).errors).toEqual([]);
    expect(api.object(HOME)?.spec).toEqual({ description: 'A note.' });
  });

  test('what was written before Terraform declared is taken over: what is declared no more goes', async () => {
    const prior = await made({ ...zone, labels: { rack: 'a', row: '1' } });
    const { managedFields: _, ...metadata } = api.object(HOME)!.metadata;
    api.put(HOME, { ...api.object(HOME)!, metadata: { ...metadata, labels: { ...metadata.labels, others: 'x' } } });
    const { errors } = await terraform.apply('plumb_zone', { name: 'home', labels: { rack: 'b' } }, prior);
    expect(errors).toEqual([]);
    expect(api.object(HOME)).toMatchObject({ metadata: { labels: { rack: 'b', others: 'x' } }, spec: {} });
    expect(api.object(HOME)?.metadata.labels).not.toHaveProperty('row');
    const managers = api
      .object(HOME)
      ?.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`);
    expect(managers).toEqual([expect.stringMatching(/^terraform:[0-9a-f]{12} Apply$/), 'before-first-apply Update']);
  });

  test('of timeouts alone asks the server nothing', async () => {
    const prior = await made();
    const before = api.seen.length;
    const { state } = await terraform.apply('plumb_zone', limited('5m'), prior);
    expect(state).toMatchObject({ timeouts: { create: '5m' }, status: { uid: 'uid-1' } });
    expect(api.seen).toHaveLength(before);
  });

  test('that fails returns what the server has', async () => {
    const prior = await made();
    api.react = (object) => {
      api.condition(object, 'False', 'BadWord', 'Not that word.');
      api.condition(object, 'True', 'BadWord', 'Not that word.', 'Stalled');
    };
    const { state, errors } = await terraform.apply('plumb_zone', { name: 'home', description: 'Other.' }, prior);
    expect(errors).toEqual(['Zone home is not as planned: BadWord | Not that word.']);
    expect(state).toMatchObject({ description: 'Other.' });
  });

  test('that is refused returns what was there, with the error on its attribute', async () => {
    const prior = await made();
    const causes = [{ field: 'spec.description', message: 'is rude' }];
    api.fault = ({ method }) =>
      method === 'PATCH' ? { code: 422, body: failure(422, 'Invalid', 'no', causes) } : undefined;
    const { state, errors } = await terraform.apply('plumb_zone', { name: 'home', description: 'Rude.' }, prior);
    expect(errors).toEqual(['Invalid description | description is rude. | description']);
    expect(state).toMatchObject({ description: 'A note.' });
  });

  test('of what is gone leaves no state', async () => {
    const prior = await made();
    api.remove(HOME);
    const { state, errors } = await terraform.apply('plumb_zone', { name: 'home' }, prior);
    expect(state).toBeNull();
    expect(errors[0]).toContain('deleted by someone else');
  });
});

describe('delete', () => {
  test('is by uid and ends when the object is gone', async () => {
    const prior = await made();
    api.held = () => true;
    const removed = terraform.apply('plumb_zone', null, prior);
    await until(() => api.watching === 1);
    api.remove(HOME);
    expect(await removed).toMatchObject({ state: null, errors: [] });
  });

  test('leaves an object of the same name but another uid alone', async () => {
    const prior = await made();
    api.put(HOME, { ...api.object(HOME)!, metadata: { ...api.object(HOME)!.metadata, uid: 'another' } });
    expect(await terraform.apply('plumb_zone', null, prior)).toMatchObject({ state: null, errors: [] });
    expect(api.object(HOME)?.metadata.uid).toBe('another');
  });

  test('of what others still need is refused before anything is marked, and says what to do', async () => {
    const prior = await made();
    api.referrers = () => ['Host host-1'];
    const { state, errors } = await terraform.apply('plumb_zone', null, prior);
    expect(state).toMatchObject({ status: { uid: 'uid-1', ready: true } });
    expect(errors).toEqual([
      expect.stringMatching(/^Zone home is not deleted: InUse \| still needed by Host host-1\. /),
    ]);
    expect(errors[0]).toContain('replace_triggered_by = [plumb_zone.NAME.status.uid]');
    expect(api.object(HOME)?.metadata.deletionTimestamp).toBeUndefined();
  });

  test('that is blocked says by what', async () => {
    const prior = await made(limited('300ms'));
    api.held = (object) => {
      api.condition(object, 'False', 'InUse', 'Host host-1 stands in it.');
      return true;
    };
    const { state, errors } = await terraform.apply('plumb_zone', null, prior);
    expect(state).toMatchObject({ name: 'home' });
    expect(errors[0]).toContain('is still there: InUse: Host host-1 stands in it.');
  });
});

/** Resolves when it holds; what is waited for is on its way over a local socket. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
