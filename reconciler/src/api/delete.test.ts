import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
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
