import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const INSTANCES = `${V1}/namespaces/default/instances`;
const MERGE = { 'content-type': 'application/merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

const key = (comment: string) =>
  `ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFhYWFh ${comment}`;

async function created(name: string, spec = {}) {
  const { status, body } = await api.ask('POST', INSTANCES, { body: manifests.instance(name, spec) });
  expect(status).toBe(201);
  return body;
}

describe('patch', () => {
  test('merge: null removes, objects merge, lists are replaced', async () => {
    await created('merged', { sshKeys: [key('a'), key('b')], spread: { group: 'g', hostLabel: 'rack' } });
    const { body } = await api.ask('PATCH', `${INSTANCES}/merged`, {
      headers: MERGE,
      body: { spec: { sshKeys: [key('c')], spread: { hostLabel: null } } },
    });
    expect(body.spec.sshKeys).toEqual([key('c')]);
    expect(body.spec.spread).toEqual({ group: 'g' });
    expect(body.spec.zone).toBe('home');
  });

  test('JSON patch, with a test that guards it', async () => {
    const { metadata } = await created('pointed');
    const patch = (uid: string) => [
      { op: 'test', path: '/metadata/uid', value: uid },
      { op: 'replace', path: '/spec/power', value: 'Stopped' },
      { op: 'add', path: '/metadata/labels', value: { 'plumb.dev/a': 'b' } },
      { op: 'move', from: '/spec/offering', path: '/spec/offering' },
    ];
    const refused = await api.ask('PATCH', `${INSTANCES}/pointed`, { headers: JSON_PATCH, body: patch('other') });
    expect(refused.status).toBe(422);
    expect(refused.body.message).toContain('operation 0');
    const done = await api.ask('PATCH', `${INSTANCES}/pointed`, { headers: JSON_PATCH, body: patch(metadata.uid) });
    expect(done.status).toBe(200);
    expect(done.body.spec.power).toBe('Stopped');
    expect(done.body.metadata.labels).toEqual({ 'plumb.dev/a': 'b' });
  });

  test.each([
    ['not a list', {}],
    ['no operation', [null]],
    ['a path that is none', [{ op: 'remove', path: 'spec' }]],
    ['an unknown operation', [{ op: 'frobnicate', path: '/spec' }]],
    ['what is not there', [{ op: 'remove', path: '/spec/nothing/here' }]],
  ])('JSON patch: %s is refused', async (_, body) => {
    await api.ask('POST', INSTANCES, { body: manifests.instance('refusing') });
    const { status } = await api.ask('PATCH', `${INSTANCES}/refusing`, { headers: JSON_PATCH, body });
    expect([400, 422]).toContain(status);
  });

  test.each(['application/strategic-merge-patch+json', 'text/plain'])(
    '%s is 415, and what is served is said',
    async (type) => {
      await api.ask('POST', INSTANCES, { body: manifests.instance('typed') });
      // As kubectl asks: its options are those of another patch.
      const { status, body } = await api.ask('PATCH', `${INSTANCES}/typed?force=false&fieldManager=kubectl`, {
        headers: { 'content-type': type },
        body: {},
      });
      expect(status).toBe(415);
      expect(body.message).toMatch(/application\/merge-patch\+json, application\/apply-patch\+yaml$/);
    },
  );

  test('a patch that names a resourceVersion is held to it', async () => {
    const { metadata } = await created('held');
    const patch = (resourceVersion: string, power: string) =>
      api.ask('PATCH', `${INSTANCES}/held`, {
        headers: MERGE,
        body: { metadata: { resourceVersion }, spec: { power } },
      });
    expect((await patch(metadata.resourceVersion, 'Stopped')).status).toBe(200);
    expect((await patch(metadata.resourceVersion, 'Running')).status).toBe(409);
  });

  test('patches at the same time are all applied', async () => {
    await created('shared');
    const keys = Array.from({ length: 8 }, (_, i) => `k${i}`);
    const answers = await Promise.all(
      keys.map((key) =>
        api.ask('PATCH', `${INSTANCES}/shared`, { headers: MERGE, body: { metadata: { labels: { [key]: 'x' } } } }),
      ),
    );
    expect(answers.map((a) => a.status)).toEqual(keys.map(() => 200));
    const { body } = await api.ask('GET', `${INSTANCES}/shared`);
    expect(Object.keys(body.metadata.labels).sort()).toEqual(keys);
  });

  test('a dry run answers the same and stores nothing', async () => {
    await created('rehearsed');
    const revision = api.store.revision();
    const { body } = await api.ask('PATCH', `${INSTANCES}/rehearsed?dryRun=All`, {
      headers: MERGE,
      body: { spec: { power: 'Stopped' } },
    });
    expect(body.spec.power).toBe('Stopped');
    expect(body.metadata.generation).toBe(2);
    expect(api.store.revision()).toBe(revision);
  });

  test('a key called __proto__ stays data and is refused as unknown', async () => {
    await created('guarded');
    const { status } = await api.ask('PATCH', `${INSTANCES}/guarded`, {
      headers: MERGE,
      body: '{"spec":{"__proto__":{"polluted":true}}}',
    });
    expect(status).toBe(422);
    expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  });
});
