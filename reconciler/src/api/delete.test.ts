import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PolicyIndex } from '../authorization/policy-index.ts';
import { Poisoned } from '../runtime/poisoned.ts';
import { storeUnavailable } from '../store/errors.ts';
import { keys } from '../store/keys.ts';
import { namespaceResource } from './core/namespace.ts';
import { finishNamespaceDeletions } from './core/namespace-delete.ts';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

async function created(name: string) {
  return (await api.ask('POST', `${V1}/zones`, { body: manifests.zone(name) })).body;
}

const release = (name: string) =>
  api.ask('PATCH', `${V1}/zones/${name}`, { headers: MERGE, body: { metadata: { finalizers: null } } });

describe('delete', () => {
  test('marks an object with finalizers; it goes when they are gone, and its record comes with that', async () => {
    const { metadata } = await created('home');
    const marked = await api.ask('DELETE', `${V1}/zones/home`);
    expect(marked.status).toBe(200);
    expect(marked.body.metadata.deletionTimestamp).toMatch(/^\d{4}-.*Z$/);
    const again = await api.ask('DELETE', `${V1}/zones/home`);
    expect(again.body).toEqual(marked.body);
    expect(await api.store.get(keys.deleted(metadata.uid))).toBeUndefined();

    expect((await release('home')).status).toBe(200);
    expect((await api.ask('GET', `${V1}/zones/home`)).status).toBe(404);
    const record = await api.store.get(keys.deleted(metadata.uid));
    expect(JSON.parse(record!.value)).toMatchObject({ kind: 'Zone', name: 'home', uid: metadata.uid });
  });

  test('the finalizer of a living object cannot be taken away, and none added to a dying one', async () => {
    await created('alive');
    expect((await release('alive')).body.metadata.finalizers).toEqual(['plumb.dev/zone']);
    await api.ask('DELETE', `${V1}/zones/alive`);
    const added = await api.ask('PATCH', `${V1}/zones/alive`, {
      headers: MERGE,
      body: { metadata: { finalizers: ['plumb.dev/zone', 'example.com/mine'] } },
    });
    expect(added.status).toBe(422);
    expect(added.body.details.causes[0].field).toBe('metadata.finalizers');
  });

  test('preconditions are honoured', async () => {
    const { metadata } = await created('guarded');
    const ask = (preconditions: object) =>
      api.ask('DELETE', `${V1}/zones/guarded`, { body: { kind: 'DeleteOptions', apiVersion: 'v1', preconditions } });
    expect((await ask({ uid: 'other' })).status).toBe(409);
    expect((await ask({ resourceVersion: '1' })).status).toBe(409);
    expect((await ask({ uid: metadata.uid, resourceVersion: metadata.resourceVersion })).status).toBe(200);
  });

  test('propagation policies are accepted, a dry run changes nothing, a missing object is 404', async () => {
    await created('rehearsed');
    const revision = api.store.revision();
    for (const body of [{ dryRun: ['All'] }, undefined]) {
      const query = body ? '' : '?dryRun=All&propagationPolicy=Foreground';
      expect((await api.ask('DELETE', `${V1}/zones/rehearsed${query}`, { body })).status).toBe(200);
    }
    expect(api.store.revision()).toBe(revision);
    expect((await api.ask('DELETE', `${V1}/zones/none`)).status).toBe(404);
    expect((await api.ask('DELETE', `${V1}/zones/rehearsed`, { body: '[]' })).status).toBe(400);
  });
});

describe('namespaces', () => {
  test('default is there and stays', async () => {
    expect((await api.ask('GET', '/api/v1/namespaces/default')).body.status.phase).toBe('Active');
    expect((await api.ask('DELETE', '/api/v1/namespaces/default')).status).toBe(403);
  });

  test('goes when it is empty; until then the answer says what is in it, and it stays as it was', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'lab' } } });
    const instances = `${V1}/namespaces/lab/instances`;
    await api.ask('POST', instances, { body: manifests.instance('web-0') });
    const refused = await api.ask('DELETE', '/api/v1/namespaces/lab');
    expect(refused.status).toBe(409);
    expect(refused.body.message).toContain('it holds instances/web-0: delete them first');
    expect((await api.ask('GET', '/api/v1/namespaces/lab')).body.status.phase).toBe('Active');
    expect((await api.ask('POST', instances, { body: manifests.instance('web-1') })).status).toBe(201);

    for (const name of ['web-0', 'web-1']) {
      await api.ask('DELETE', `${instances}/${name}`);
      await api.ask('PATCH', `${instances}/${name}`, { headers: MERGE, body: { metadata: { finalizers: null } } });
    }
    const gone = await api.ask('DELETE', '/api/v1/namespaces/lab');
    expect(gone.body).toMatchObject({ kind: 'Status', status: 'Success' });
    expect((await api.ask('POST', instances, { body: manifests.instance('late') })).status).toBe(404);
  });

  test('nothing new comes into one that is going, and a deletion that was cut off can be asked for again', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'going' } } });
    const key = keys.object('namespaces', undefined, 'going');
    const entry = (await api.store.get(key))!;
    const object = JSON.parse(entry.value);
    object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    await api.store.commit({ preconditions: [], ops: [{ type: 'put', key, value: JSON.stringify(object) }] });
    const refused = await api.ask('POST', `${V1}/namespaces/going/instances`, { body: manifests.instance('x') });
    expect(refused.status).toBe(403);
    expect((await api.ask('DELETE', '/api/v1/namespaces/going')).status).toBe(200);
    expect((await api.ask('GET', '/api/v1/namespaces/going')).status).toBe(404);
  });

  test('a start ends deletions that were cut off: what is empty goes, what is not stays as it was', async () => {
    for (const name of ['empty', 'full']) await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
    await api.ask('POST', `${V1}/namespaces/full/instances`, { body: manifests.instance('x') });
    for (const name of ['empty', 'full']) {
      const key = keys.object('namespaces', undefined, name);
      const object = JSON.parse((await api.store.get(key))!.value);
      object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
      await api.store.commit({ preconditions: [], ops: [{ type: 'put', key, value: JSON.stringify(object) }] });
    }
    const context = {
      ambient: api.ambient,
      limits: defaultServerLimits,
      wrongs: new Poisoned(),
      access: new PolicyIndex(),
    };
    await finishNamespaceDeletions(context, namespaceResource(api.store));
    expect((await api.ask('GET', '/api/v1/namespaces/empty')).status).toBe(404);
    const full = await api.ask('GET', '/api/v1/namespaces/full');
    expect(full.body.metadata.deletionTimestamp).toBeUndefined();
    expect(full.body.status.phase).toBe('Active');
  });

  test('a namespace whose deletion the disk refused in the middle goes when the disk takes it', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'later' } } });
    const { commit } = api.store;
    let marked = false;
    api.store.commit = async (batch, onApplied) => {
      const isMark = batch.ops.some((op) => op.type === 'put' && op.value.includes('"Terminating"'));
      if (marked) throw storeUnavailable('make the change durable', new Error('the disk is full'));
      marked = isMark;
      return commit.call(api.store, batch, onApplied);
    };
    const refused = await api.ask('DELETE', '/api/v1/namespaces/later');
    expect(refused.status).toBe(503);
    await api.clock.advance(1_000);
    expect((await api.ask('GET', '/api/v1/namespaces/later')).status).toBe(200);
    api.store.commit = commit;
    await api.clock.advance(1_000);
    expect((await api.ask('GET', '/api/v1/namespaces/later')).status).toBe(404);
  });

  test('a create and the deletion of its namespace at the same time leave no object without one', async () => {
    for (let round = 0; round < 20; round++) {
      const name = `race-${round}`;
      await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      const [made] = await Promise.all([
        api.ask('POST', `${V1}/namespaces/${name}/instances`, { body: manifests.instance('x') }),
        api.ask('DELETE', `/api/v1/namespaces/${name}`),
      ]);
      const left = await api.ask('GET', `/api/v1/namespaces/${name}`);
      expect(left.status).toBe(made.status === 201 ? 200 : 404);
    }
  });
});
