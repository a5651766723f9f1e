import type { PlumbObject } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { PolicyIndex } from '../../authorization/policy-index.ts';
import { Poisoned } from '../../runtime/poisoned.ts';
import { storeUnavailable } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { type ApiRig, manifests, startApiRig, V1 } from '../testing/rig.ts';
import { namespaceResource } from './namespace.ts';
import { finishNamespaceDeletions } from './namespace-delete.ts';
import { NamespaceDeletions } from './namespace-deletions.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

const contextOf = ({ ambient }: ApiRig) => ({
  ...{ ambient, limits: defaultServerLimits, wrongs: new Poisoned(), access: new PolicyIndex() },
});

const network = {
  ...{ apiVersion: 'plumb.dev/v1', kind: 'L3Network', metadata: { name: 'lab' } },
  spec: { l2Network: 'lan', ipv4: { cidr: '10.0.0.0/24' } },
};

describe('namespaces', () => {
  test('default is there and stays', async () => {
    expect((await api.ask('GET', '/api/v1/namespaces/default')).body.status.phase).toBe('Active');
    const { status, body } = await api.ask('DELETE', '/api/v1/namespaces/default');
    expect([status, body.message]).toEqual([
      403,
      'namespaces "default" is forbidden: this namespace may not be deleted',
    ]);
  });

  test('bears its name as a label, whatever is asked, and can be selected by it', async () => {
    const label = 'kubernetes.io/metadata.name';
    const made = await api.ask('POST', '/api/v1/namespaces', {
      body: { metadata: { name: 'named', labels: { [label]: 'other' } }, spec: { finalizers: ['example.com/x'] } },
    });
    expect(made.body).toMatchObject({
      metadata: { labels: { [label]: 'named' } },
      spec: { finalizers: ['kubernetes'] },
    });
    const patch = { headers: MERGE, body: { metadata: { labels: null }, spec: null } };
    const patched = (await api.ask('PATCH', '/api/v1/namespaces/named', patch)).body;
    expect(patched.metadata).toMatchObject({
      labels: { [label]: 'named' },
      resourceVersion: made.body.metadata.resourceVersion,
    });
    const generated = await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { generateName: 'gen-' } } });
    expect(generated.body.metadata.labels[label]).toBe(generated.body.metadata.name);
    const selected = await api.ask('GET', `/api/v1/namespaces?labelSelector=${label}%3Dnamed`);
    expect(selected.body.items.map((one: { metadata: { name: string } }) => one.metadata.name)).toEqual(['named']);
  });

  const conditionOf = async (name: string, type: string) => {
    const { body } = await api.ask('GET', `/api/v1/namespaces/${name}`);
    return body.status.conditions?.find((one: { type: string }) => one.type === type);
  };
  const released = (path: string) =>
    api.ask('PATCH', path, { headers: MERGE, body: { metadata: { finalizers: null } } });

  test('takes all that is in it along: what refers to others first, secrets and accounts last, then itself', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'lab' } } });
    const [project, core] = [`${V1}/namespaces/lab`, '/api/v1/namespaces/lab'];
    const instance = manifests.instance('web-0') as { spec: object };
    await api.ask('POST', `${project}/l3networks`, { body: network });
    await api.ask('POST', `${project}/instances`, {
      body: { ...instance, spec: { ...instance.spec, userDataFrom: { secret: 'seed', key: 'a' } } },
    });
    await api.ask('POST', `${core}/secrets`, { body: { metadata: { name: 'seed' }, stringData: { a: 'b' } } });
    const going = await api.ask('DELETE', core);
    expect([going.status, going.body.kind, going.body.status.phase]).toEqual([200, 'Namespace', 'Terminating']);
    expect(going.body.metadata.deletionTimestamp).toBeDefined();
    await vi.waitFor(async () => expect((await conditionOf('lab', 'NamespaceContentRemaining')).status).toBe('True'));
    const marked = async (path: string) => (await api.ask('GET', path)).body.metadata.deletionTimestamp !== undefined;
    expect(await marked(`${project}/instances/web-0`)).toBe(true);
    expect(await marked(`${project}/l3networks/lab`)).toBe(false);
    expect((await conditionOf('lab', 'NamespaceFinalizersRemaining')).message).toContain(
      'plumb.dev/instance in 1 resource instances',
    );
    const late = await api.ask('POST', `${project}/instances`, { body: manifests.instance('late') });
    expect([late.status, late.body.details.causes[0].reason]).toEqual([403, 'NamespaceTerminating']);
    expect(late.body.message).toBe(
      'instances.plumb.dev "late" is forbidden: unable to create new content in namespace lab because it is being terminated',
    );
    expect((await api.ask('DELETE', core)).body.status.phase).toBe('Terminating');
    // A change of the namespace itself does not end it either.
    await api.ask('PATCH', core, { headers: MERGE, body: { metadata: { annotations: { a: 'b' } } } });
    expect((await api.ask('GET', `${core}/secrets/seed`)).status).toBe(200);
    await released(`${project}/instances/web-0`);
    await vi.waitFor(async () => expect(await marked(`${project}/l3networks/lab`)).toBe(true));
    expect((await api.ask('GET', `${core}/secrets/seed`)).status).toBe(200);
    await released(`${project}/l3networks/lab`);
    await vi.waitFor(async () => expect((await api.ask('GET', core)).status).toBe(404));
    for (const key of ['secrets/lab/seed', 'serviceaccounts/lab/default'])
      expect(await api.store.get(`/objects/${key}`)).toBeUndefined();
  });

  test('what is protected stays, and all that it needs, and the namespace says so until it is protected no more', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'kept' } } });
    const project = `${V1}/namespaces/kept`;
    const instance = manifests.instance('db') as { spec: object };
    await api.ask('POST', `${project}/l3networks`, { body: network });
    await api.ask('POST', `${project}/instances`, {
      body: { ...instance, spec: { ...instance.spec, deletionProtection: true } },
    });
    await api.ask('DELETE', '/api/v1/namespaces/kept');
    await vi.waitFor(async () =>
      expect((await conditionOf('kept', 'NamespaceDeletionContentFailure')).message).toContain(
        'Instance db: spec.deletionProtection is true',
      ),
    );
    for (const path of ['instances/db', 'l3networks/lab'])
      expect((await api.ask('GET', `${project}/${path}`)).body.metadata.deletionTimestamp).toBeUndefined();
    const free = { headers: MERGE, body: { spec: { deletionProtection: null } } };
    await api.ask('PATCH', `${project}/instances/db`, free);
    await vi.waitFor(async () => {
      await api.clock.advance(1_000);
      await released(`${project}/instances/db`);
      await released(`${project}/l3networks/lab`);
      expect((await api.ask('GET', '/api/v1/namespaces/kept')).status).toBe(404);
    });
  });

  test('what names each other in a circle goes together, but not what is protected and what it names', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'circle' } } });
    const groups = `${V1}/namespaces/circle/securitygroups`;
    const group = (name: string, names: string, more = {}) => ({
      ...{ apiVersion: 'plumb.dev/v1', kind: 'SecurityGroup', metadata: { name } },
      spec: { selector: {}, ingress: [{ securityGroups: [names] }], ...more },
    });
    for (const body of [
      group('a', 'b'),
      group('b', 'a'),
      group('c', 'd'),
      group('d', 'c', { deletionProtection: true }),
    ])
      expect((await api.ask('POST', groups, { body })).status).toBe(201);
    await api.ask('DELETE', '/api/v1/namespaces/circle');
    const marked = async () => {
      const { items } = (await api.ask('GET', groups)).body as { items: PlumbObject[] };
      return items.filter(({ metadata }) => metadata.deletionTimestamp).map(({ metadata }) => metadata.name);
    };
    await vi.waitFor(async () => expect(await marked()).toEqual(['a', 'b']));
    await api.clock.advance(60_000);
    expect(await marked()).toEqual(['a', 'b']);
  });

  test('a finalizer of others holds the empty namespace, and it goes with it', async () => {
    const path = '/api/v1/namespaces/held';
    await api.ask('POST', '/api/v1/namespaces', {
      body: { metadata: { name: 'held', finalizers: ['example.com/x'] } },
    });
    await api.ask('DELETE', path);
    await vi.waitFor(async () => expect((await api.ask('GET', path)).body.spec.finalizers).toBeUndefined());
    expect((await conditionOf('held', 'NamespaceContentRemaining')).status).toBe('False');
    await released(path);
    await vi.waitFor(async () => expect((await api.ask('GET', path)).status).toBe(404));
  });

  test('a dry run, another uid and another version delete nothing', async () => {
    const path = '/api/v1/namespaces/tried';
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'tried' } } });
    expect((await api.ask('DELETE', `${path}?dryRun=All`)).body.status.phase).toBe('Terminating');
    expect((await api.ask('DELETE', path, { body: { preconditions: { uid: 'other' } } })).status).toBe(409);
    expect((await api.ask('DELETE', path, { body: { preconditions: { resourceVersion: '1' } } })).status).toBe(409);
    expect((await api.ask('GET', path)).body.status.phase).toBe('Active');
  });

  test('a start ends what only tidied up and was cut off: what is empty goes, what is not stays as it was', async () => {
    for (const name of ['empty', 'full']) await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
    await api.ask('POST', `${V1}/namespaces/full/instances`, { body: manifests.instance('x') });
    for (const name of ['empty', 'full']) {
      const key = keys.object('namespaces', undefined, name);
      const object = JSON.parse((await api.store.get(key))!.value);
      object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
      delete object.spec.finalizers;
      await api.store.commit({ preconditions: [], ops: [{ type: 'put', key, value: JSON.stringify(object) }] });
    }
    await finishNamespaceDeletions(contextOf(api), namespaceResource(api.store));
    expect((await api.ask('GET', '/api/v1/namespaces/empty')).status).toBe(404);
    const full = await api.ask('GET', '/api/v1/namespaces/full');
    expect(full.body.metadata.deletionTimestamp).toBeUndefined();
    expect(full.body.status.phase).toBe('Active');
  });

  test('a namespace whose deletion the disk refused in the middle goes when the disk takes it', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'later' } } });
    const { commit } = api.store;
    let marked = false;
    let refused = 0;
    api.store.commit = async (batch, onApplied) => {
      const isMark = batch.ops.some((op) => op.type === 'put' && op.value.includes('"Terminating"'));
      if (marked && ++refused > 0) throw storeUnavailable('make the change durable', new Error('the disk is full'));
      marked = isMark;
      return commit.call(api.store, batch, onApplied);
    };
    expect((await api.ask('DELETE', '/api/v1/namespaces/later')).status).toBe(200);
    await vi.waitFor(() => expect(refused).toBeGreaterThan(0));
    await api.clock.advance(1_000);
    expect((await api.ask('GET', '/api/v1/namespaces/later')).status).toBe(200);
    api.store.commit = commit;
    await vi.waitFor(async () => {
      await api.clock.advance(1_000);
      expect((await api.ask('GET', '/api/v1/namespaces/later')).status).toBe(404);
    });
  });

  test('what one process began another one ends', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'cut' } } });
    const key = keys.object('namespaces', undefined, 'cut');
    const object = JSON.parse((await api.store.get(key))!.value);
    object.metadata.deletionTimestamp = '2026-01-01T00:00:00Z';
    const store = new MemoryStore();
    await store.commit({ preconditions: [], ops: [{ type: 'put', key, value: JSON.stringify(object) }] });
    const ending = new AbortController();
    await new NamespaceDeletions(store, contextOf(api), ending.signal).start();
    await vi.waitFor(async () => expect(await store.get(key)).toBeUndefined());
    ending.abort();
  });

  test('a create and the deletion of its namespace at the same time leave no object without one', async () => {
    for (let round = 0; round < 20; round++) {
      const name = `race-${round}`;
      await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name } } });
      const [made] = await Promise.all([
        api.ask('POST', `${V1}/namespaces/${name}/instances`, { body: manifests.instance('x') }),
        api.ask('DELETE', `/api/v1/namespaces/${name}`),
      ]);
      expect([201, 403, 404]).toContain(made.status);
      const path = `${V1}/namespaces/${name}/instances/x`;
      const gone = async () => {
        if (made.status === 201) await released(path);
        expect((await api.ask('GET', `/api/v1/namespaces/${name}`)).status).toBe(404);
      };
      await vi.waitFor(gone);
      expect((await api.ask('GET', path)).status).toBe(404);
    }
  });
});
