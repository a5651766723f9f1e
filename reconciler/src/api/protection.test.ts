/** `spec.deletionProtection`, on the ways of the API. Cascades: controllers/protection.test.ts; plumb, prune and Terraform come by these. */
import { kinds } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

const kept = (name: string) => ({ ...manifests.zone(name), spec: { deletionProtection: true } });
const there = async (name: string) => (await api.ask('GET', `${V1}/zones/${name}`)).body;

test('every kind of Plumb’s own has it, but those that are of one use', () => {
  const without = kinds.filter(({ spec }) => !('deletionProtection' in spec.properties));
  expect(without.map(({ kind }) => kind)).toEqual(['ChangeSet']);
});

describe('a protected object', () => {
  test.each([
    ['', undefined],
    ['?dryRun=All', undefined],
    ['?propagationPolicy=Foreground', undefined],
    ['?gracePeriodSeconds=0', undefined],
    ['', { kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: 'Background' }],
  ])('is not deleted by DELETE %j with %j', async (query, body) => {
    await api.ask('POST', `${V1}/zones`, { body: kept('kept') });
    const answer = await api.ask('DELETE', `${V1}/zones/kept${query}`, body ? { body } : {});
    expect(answer.status).toBe(403);
    expect(answer.body).toMatchObject({
      reason: 'Forbidden',
      message: 'Zone kept is not deleted: spec.deletionProtection is true; set it to false, then delete it',
    });
    expect((await there('kept')).metadata.deletionTimestamp).toBeUndefined();
  });

  test('is not among what a collection loses', async () => {
    await api.ask('POST', `${V1}/zones`, { body: kept('one-of-many') });
    for (const query of ['', '?dryRun=All', '?fieldSelector=metadata.name%3Done-of-many']) {
      const answer = await api.ask('DELETE', `${V1}/zones${query}`);
      expect([answer.status, answer.body.message]).toEqual([
        403,
        expect.stringContaining('spec.deletionProtection is true'),
      ]);
      expect((await there('one-of-many')).metadata.deletionTimestamp).toBeUndefined();
    }
  });

  test('is not said to go by a dry run where nothing would hold it', async () => {
    await api.ask('POST', `${V1}/zones`, { body: kept('unheld') });
    await api.ask('PATCH', `${V1}/zones/unheld`, { headers: MERGE, body: { metadata: { finalizers: null } } });
    for (const query of ['?dryRun=All', ''])
      expect((await api.ask('DELETE', `${V1}/zones/unheld${query}`)).status).toBe(403);
    expect((await there('unheld')).metadata.uid).toBeDefined();
  });

  test('keeps its project', async () => {
    await api.ask('POST', '/api/v1/namespaces', {
      body: { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'lab' } },
    });
    const network = {
      ...{ apiVersion: 'plumb.dev/v1', kind: 'L3Network', metadata: { name: 'n' } },
      spec: { deletionProtection: true, l2Network: 'l', ipv4: { cidr: '10.0.0.0/24', gateway: '10.0.0.1' } },
    };
    expect((await api.ask('POST', `${V1}/namespaces/lab/l3networks`, { body: network })).status).toBe(201);
    expect((await api.ask('DELETE', '/api/v1/namespaces/lab')).status).toBe(200);
    await vi.waitFor(async () =>
      expect((await api.ask('GET', '/api/v1/namespaces/lab')).body.status.conditions).toContainEqual(
        expect.objectContaining({ type: 'NamespaceDeletionContentFailure', status: 'True' }),
      ),
    );
    const { status, body } = await api.ask('GET', `${V1}/namespaces/lab/l3networks/n`);
    expect([status, body.metadata.deletionTimestamp]).toEqual([200, undefined]);
  });

  test('goes when it is protected no more; what is on its way out is not protected any more', async () => {
    await api.ask('POST', `${V1}/zones`, { body: kept('later') });
    await api.ask('PATCH', `${V1}/zones/later`, { headers: MERGE, body: { spec: { deletionProtection: false } } });
    expect((await api.ask('DELETE', `${V1}/zones/later`)).status).toBe(200);
    expect((await there('later')).metadata.deletionTimestamp).toBeDefined();
    await api.ask('PATCH', `${V1}/zones/later`, { headers: MERGE, body: { spec: { deletionProtection: true } } });
    expect((await api.ask('DELETE', `${V1}/zones/later`)).status).toBe(200);
  });

  test('that is changed between look and write is looked at again', async () => {
    await api.ask('POST', `${V1}/zones`, { body: manifests.zone('raced') });
    const protect = api.ask('PATCH', `${V1}/zones/raced`, {
      headers: MERGE,
      body: { spec: { deletionProtection: true } },
    });
    const [, answer] = await Promise.all([protect, api.ask('DELETE', `${V1}/zones/raced`)]);
    const { metadata, spec } = await there('raced');
    expect(answer.status === 403).toBe(metadata.deletionTimestamp === undefined);
    expect(spec.deletionProtection === true || answer.status === 200).toBe(true);
  });
});
