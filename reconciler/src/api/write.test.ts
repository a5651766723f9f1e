import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const INSTANCES = `${V1}/namespaces/default/instances`;
const MERGE = { 'content-type': 'application/merge-patch+json' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

async function created(name: string, spec = {}) {
  const { status, body } = await api.ask('POST', INSTANCES, { body: manifests.instance(name, spec) });
  expect(status).toBe(201);
  return body;
}

describe('create', () => {
  test('sets what the server sets, defaults the rest, and gives the object its finalizer', async () => {
    const body = await created('fresh');
    expect(body.metadata).toMatchObject({ name: 'fresh', namespace: 'default', generation: 1 });
    expect(body.metadata.uid).toMatch(/^[0-9a-f-]{36}$/);
    expect(body.metadata.finalizers).toEqual(['plumb.dev/instance']);
    expect(Number(body.metadata.resourceVersion)).toBeGreaterThan(0);
    expect(body.spec.restartPolicy).toBe('OnFailure');
    const { body: read } = await api.ask('GET', `${INSTANCES}/fresh`);
    expect(read).toEqual(body);
  });

  test('takes no status and no uid from the client', async () => {
    const sent = { ...manifests.zone('plain', { uid: 'mine', generation: 9 }), status: { conditions: [] } };
    const { body } = await api.ask('POST', `${V1}/zones`, { body: sent });
    expect(body.status).toBeUndefined();
    expect(body.metadata.uid).not.toBe('mine');
    expect(body.metadata.generation).toBe(1);
  });

  test('an existing name is 409 AlreadyExists, as a dry run too', async () => {
    await created('twice');
    for (const query of ['', '?dryRun=All']) {
      const { status, body } = await api.ask('POST', INSTANCES + query, { body: manifests.instance('twice') });
      expect(status).toBe(409);
      expect(body).toMatchObject({
        kind: 'Status',
        reason: 'AlreadyExists',
        details: { name: 'twice', kind: 'instances' },
      });
    }
  });

  test('a dry run answers the same and stores nothing', async () => {
    const revision = api.store.revision();
    const { status, body } = await api.ask('POST', `${INSTANCES}?dryRun=All`, { body: manifests.instance('dry') });
    expect(status).toBe(201);
    expect(body.spec.power).toBe('Running');
    expect(api.store.revision()).toBe(revision);
  });

  test('generateName makes a name of it', async () => {
    const { metadata: _, ...rest } = manifests.instance('x');
    const { status, body } = await api.ask('POST', INSTANCES, {
      body: { ...rest, metadata: { generateName: 'web-' } },
    });
    expect(status).toBe(201);
    expect(body.metadata.name).toMatch(/^web-[a-z2-9]{5}$/);
  });

  test('a missing namespace is 404 with a sentence', async () => {
    const { status, body } = await api.ask('POST', `${V1}/namespaces/nowhere/instances`, {
      body: manifests.instance('x'),
    });
    expect(status).toBe(404);
    expect(body.message).toBe('namespaces "nowhere" not found');
    expect(body.details).toEqual({ name: 'nowhere', kind: 'namespaces' });
  });

  test('a namespace that only bears the word deletionTimestamp takes what is new', async () => {
    const labels = { deletionTimestamp: 'never' };
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'staying', labels } } });
    const inside = `${V1}/namespaces/staying/instances`;
    expect((await api.ask('POST', inside, { body: manifests.instance('first') })).status).toBe(201);
  });

  test('every violation is a cause of 422 with its field', async () => {
    const { status, body } = await api.ask('POST', INSTANCES, {
      body: manifests.instance('bad', { power: 'On', sshKeys: 'x', rootDiskMiB: 0 }),
    });
    expect(status).toBe(422);
    expect(body).toMatchObject({ reason: 'Invalid', details: { kind: 'Instance', group: 'plumb.dev', name: 'bad' } });
    expect(body.details.causes.map((c: { field: string }) => c.field).sort()).toEqual([
      '<nil>',
      'spec.power',
      'spec.rootDiskMiB',
      'spec.sshKeys',
    ]);
    const unknown = await api.ask('POST', INSTANCES, { body: manifests.instance('bad', { ofering: 'x' }) });
    expect([unknown.status, unknown.body.message]).toEqual([
      400,
      expect.stringContaining('unknown field "spec.ofering": did you mean "offering"?'),
    ]);
  });

  test.each([
    ['null', 'null'],
    ['a list', '[]'],
    ['broken', '{"a":'],
    ['metadata of the wrong type', '{"metadata":"x"}'],
    ['another namespace', JSON.stringify({ ...manifests.instance('x'), metadata: { name: 'x', namespace: 'other' } })],
  ])('a body that is %s is 400', async (_, body) => {
    expect((await api.ask('POST', INSTANCES, { body })).status).toBe(400);
  });

  test('a broken body is not repeated', async () => {
    const { body } = await api.ask('POST', INSTANCES, { body: '{"token": "hunter2", oops' });
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });

  test('fieldValidation=Warn stores without the unknown field and warns, Ignore keeps quiet', async () => {
    const warned = await api.ask('POST', `${V1}/zones?fieldValidation=Warn`, {
      body: { ...manifests.zone('warned'), spec: { colour: 'red' } },
    });
    expect(warned.status).toBe(201);
    expect(warned.headers.warning).toBe('299 - "unknown field \\"spec.colour\\""');
    expect(warned.body.spec).toEqual({});
    const ignored = await api.ask('POST', `${V1}/zones?fieldValidation=Ignore`, {
      body: { ...manifests.zone('ignored'), spec: { colour: 'red' } },
    });
    expect(ignored.status).toBe(201);
    expect(ignored.headers.warning).toBeUndefined();
    expect((await api.ask('POST', `${V1}/zones?fieldValidation=Maybe`, { body: manifests.zone('x') })).status).toBe(
      422,
    );
  });

  test('many at once each get a revision of their own', async () => {
    const answers = await Promise.all(Array.from({ length: 50 }, (_, i) => created(`burst-${i}`)));
    expect(new Set(answers.map((a) => a.metadata.resourceVersion)).size).toBe(50);
  });
});

describe('update', () => {
  test('needs the newest resourceVersion, if it names one', async () => {
    const first = await created('raced');
    const second = await api.ask('PUT', `${INSTANCES}/raced`, {
      body: { ...first, spec: { ...first.spec, power: 'Stopped' } },
    });
    expect(second.status).toBe(200);
    expect(second.body.metadata.generation).toBe(2);
    const late = await api.ask('PUT', `${INSTANCES}/raced`, {
      body: { ...first, spec: { ...first.spec, offering: 'l' } },
    });
    expect(late.status).toBe(409);
    expect(late.body.reason).toBe('Conflict');
  });

  test('what changes nothing is not written', async () => {
    const first = await created('same');
    const revision = api.store.revision();
    // Keys in another order, and a default left out, are the same object.
    const { power: _, ...spec } = first.spec;
    const again = await api.ask('PUT', `${INSTANCES}/same`, { body: { ...first, spec } });
    expect(again.status).toBe(200);
    expect(again.body).toEqual(first);
    expect(api.store.revision()).toBe(revision);
  });

  test('generation counts changes of spec and nothing else', async () => {
    const first = await created('counted');
    const labelled = await api.ask('PATCH', `${INSTANCES}/counted`, {
      headers: MERGE,
      body: { metadata: { labels: { a: 'b' } } },
    });
    expect(labelled.body.metadata.generation).toBe(1);
    expect(labelled.body.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
  });

  test('an immutable field is 422 on that field', async () => {
    const first = await created('fixed');
    const { status, body } = await api.ask('PUT', `${INSTANCES}/fixed`, {
      body: { ...first, spec: { ...first.spec, zone: 'other' } },
    });
    expect(status).toBe(422);
    expect(body.details.causes).toEqual([
      expect.objectContaining({ field: 'spec.zone', message: 'Invalid value: is fixed when the object is created' }),
    ]);
  });

  test('does not touch status, does not take the finalizer of a living object away, does not move it', async () => {
    const first = await created('kept');
    await api.ask('PUT', `${INSTANCES}/kept/status`, { body: { ...first, status: { power: 'Running' } } });
    const { metadata, spec } = first;
    const put = await api.replace(`${INSTANCES}/kept`, {
      ...{ apiVersion: first.apiVersion, kind: first.kind },
      ...{ metadata: { name: 'kept', namespace: metadata.namespace }, spec: { ...spec, power: 'Stopped' } },
    });
    expect(put.body.status).toEqual({ power: 'Running' });
    expect(put.body.metadata.finalizers).toEqual(['plumb.dev/instance']);
    expect(put.body.metadata.uid).toBe(metadata.uid);
    const moved = await api.ask('PUT', `${INSTANCES}/kept`, { body: { ...first, metadata: { name: 'elsewhere' } } });
    expect(moved.status).toBe(400);
    const other = await api.ask('PUT', `${INSTANCES}/kept`, {
      body: { ...first, metadata: { ...metadata, uid: 'u' } },
    });
    expect(other.status).toBe(409);
  });

  test('a missing object is 404', async () => {
    const { status, body } = await api.ask('PUT', `${INSTANCES}/none`, { body: manifests.instance('none') });
    expect(status).toBe(404);
    expect(body.message).toBe('instances.plumb.dev "none" not found');
  });
});

describe('status', () => {
  test('is written through its subresource, validated, and nothing else is', async () => {
    const first = await created('reported');
    const path = `${INSTANCES}/reported/status`;
    const patched = await api.ask('PATCH', path, {
      headers: MERGE,
      body: { spec: { power: 'Stopped' }, status: { power: 'Running', observedGeneration: 1 } },
    });
    expect(patched.status).toBe(200);
    expect(patched.body.status).toEqual({ power: 'Running', observedGeneration: 1 });
    expect(patched.body.spec).toEqual(first.spec);
    expect(patched.body.metadata.generation).toBe(1);
    expect((await api.ask('GET', path)).body).toEqual(patched.body);
    const bad = await api.ask('PATCH', path, { headers: MERGE, body: { status: { power: 'Paused' } } });
    expect(bad.status).toBe(422);
    expect(bad.body.details.causes[0].field).toBe('status.power');
  });
});
