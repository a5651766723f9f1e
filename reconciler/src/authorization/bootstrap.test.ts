import { realAmbient } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { ensureDefaultPolicy } from './bootstrap.ts';
import { uncovered } from './covers.ts';
import { ESTATE_USER } from './default-roles.ts';
import { keepGathered } from './gathered.ts';
import type { Binding, Identity, ResourceAttributes, Role } from './policy.ts';
import { followPolicy } from './policy-feed.ts';

const clock = new FakeClock(Date.UTC(2026, 0, 1));
const ambient = { ...realAmbient(), clock };
const roleKey = (name: string) => keys.object('clusterroles', undefined, name);
const bindingKey = (name: string) => keys.object('clusterrolebindings', undefined, name);

type Stored = (Role | Binding) & { metadata: { annotations?: Record<string, string> } };
const read = async <T = Role & Stored>(store: MemoryStore, key: string) =>
  JSON.parse((await store.get(key))!.value) as T;
async function write(store: MemoryStore, key: string, object: object | undefined): Promise<void> {
  const op = object
    ? ({ type: 'put', key, value: JSON.stringify(object) } as const)
    : ({ type: 'delete', key } as const);
  await store.commit({ preconditions: [], ops: [op] });
}

async function policyOf(store: MemoryStore) {
  return followPolicy(store, new AbortController().signal, () => {});
}

const bound = (role: string, namespace?: string): Binding => ({
  metadata: { name: `to-ann-${role}`, ...(namespace ? { namespace } : {}) },
  subjects: [{ kind: 'User', name: 'ann' }],
  roleRef: { kind: 'ClusterRole', name: role },
});
const ann: Identity = { name: 'ann', groups: [] };

async function annHaving(role: string, namespace = '') {
  const store = new MemoryStore();
  await ensureDefaultPolicy(store, ambient);
  const { index } = await policyOf(store);
  index.putBinding(namespace, bound(role, namespace));
  return (verb: string, resource: string, more: Partial<ResourceAttributes> = {}) => {
    const [plural = '', subresource = ''] = resource.split('/');
    const about = { group: 'plumb.dev', namespace: 'lab', name: '', ...more };
    return index.decide(ann, { verb, resource: plural, subresource, ...about }).allowed;
  };
}

test('a second start changes nothing; what was taken from a role or a binding comes back, what was added stays', async () => {
  const store = new MemoryStore();
  await ensureDefaultPolicy(store, ambient);
  const before = store.revision();
  await ensureDefaultPolicy(store, ambient);
  expect(store.revision()).toBe(before);

  const own = { verbs: ['get'], apiGroups: ['own.dev'], resources: ['things'] };
  const part = await read(store, roleKey('system:aggregate-to-view'));
  await write(store, roleKey('system:aggregate-to-view'), { ...part, rules: [own] });
  await write(store, bindingKey('system:discovery'), {
    ...(await read(store, bindingKey('system:discovery'))),
    subjects: [],
  });
  await write(store, roleKey('edit'), undefined);
  const frozen = await read(store, roleKey('system:basic-user'));
  const annotations = { 'rbac.authorization.kubernetes.io/autoupdate': 'false' };
  await write(store, roleKey('system:basic-user'), {
    ...frozen,
    metadata: { ...frozen.metadata, annotations },
    rules: [],
  });
  await ensureDefaultPolicy(store, ambient);

  const { rules = [] } = await read(store, roleKey('system:aggregate-to-view'));
  expect(rules).toContainEqual(own);
  expect(uncovered(rules, part.rules!)).toEqual([]);
  expect((await read<Binding>(store, bindingKey('system:discovery'))).subjects).toHaveLength(1);
  expect((await read(store, roleKey('edit'))).aggregationRule).toBeDefined();
  expect((await read(store, roleKey('system:basic-user'))).rules).toEqual([]);
});

test('everybody may use the estate from the first start on, until a person takes it away', async () => {
  const store = new MemoryStore();
  await ensureDefaultPolicy(store, ambient);
  expect(await store.get(bindingKey(ESTATE_USER))).toBeDefined();
  await write(store, bindingKey(ESTATE_USER), undefined);
  await ensureDefaultPolicy(store, ambient);
  expect(await store.get(bindingKey(ESTATE_USER))).toBeUndefined();
  expect(await store.get(roleKey(ESTATE_USER))).toBeDefined();
});

test('view reads, edit writes what is in projects, admin gives roles there; none of them reaches the estate', async () => {
  const RBAC = { group: 'rbac.authorization.k8s.io' };
  const view = await annHaving('view', 'lab');
  expect([view('list', 'instances'), view('get', 'instances/status'), view('list', 'flows')]).toEqual([
    true,
    true,
    true,
  ]);
  expect([view('patch', 'instances'), view('create', 'flows/retry')]).toEqual([false, false]);
  expect(view('get', 'secrets', { group: '' })).toBe(false);
  expect(view('get', 'roles', RBAC)).toBe(false);
  const edit = await annHaving('edit', 'lab');
  expect([edit('list', 'instances'), edit('patch', 'instances'), edit('create', 'flows/retry')]).toEqual([
    true,
    true,
    true,
  ]);
  expect([edit('get', 'secrets', { group: '' }), edit('create', 'serviceaccounts/token', { group: '' })]).toEqual([
    true,
    true,
  ]);
  expect([edit('update', 'instances/status'), edit('create', 'rolebindings', RBAC)]).toEqual([false, false]);
  const admin = await annHaving('admin', 'lab');
  expect([admin('patch', 'instances'), admin('create', 'rolebindings', RBAC)]).toEqual([true, true]);
  expect([admin('escalate', 'roles', RBAC), admin('bind', 'clusterroles', RBAC)]).toEqual([false, false]);
  for (const role of [view, edit, admin])
    for (const [verb, resource] of [
      ['create', 'zones'],
      ['get', 'hosts'],
      ['use', 'l2networks'],
      ['create', 'fences'],
    ] as const)
      expect(role(verb, resource, { namespace: '' })).toBe(false);
});

test('the auditor reads everything but secrets, and writes nothing', async () => {
  const auditor = await annHaving('auditor');
  const everywhere = { namespace: '' };
  for (const resource of ['zones', 'hosts', 'instances', 'jointokens', 'poisoned', 'flows'])
    expect([resource, auditor('list', resource, everywhere)]).toEqual([resource, true]);
  expect(auditor('list', 'clusterrolebindings', { group: 'rbac.authorization.k8s.io', namespace: '' })).toBe(true);
  expect(auditor('list', 'secrets', { group: '', namespace: '' })).toBe(false);
  for (const verb of ['create', 'update', 'patch', 'delete', 'use'])
    for (const resource of ['zones', 'instances', 'jointokens', 'fences', 'images/file'])
      expect([verb, resource, auditor(verb, resource)]).toEqual([verb, resource, false]);
});

test('the estate admin may do what there is about hosts and the estate, and no file of the hosts is an image for that', async () => {
  const estate = await annHaving('plumb:estate-admin');
  const everywhere = { namespace: '' };
  for (const [verb, resource] of [
    ['create', 'zones'],
    ['delete', 'hosts'],
    ['use', 'zones'],
    ['create', 'jointokens'],
    ['create', 'images'],
  ] as const)
    expect([verb, resource, estate(verb, resource, everywhere)]).toEqual([verb, resource, true]);
  for (const [verb, resource] of [
    ['use', 'images/file'],
    ['create', 'admintoken'],
    ['create', 'authority'],
    ['create', 'instances'],
  ] as const)
    expect([verb, resource, estate(verb, resource, everywhere)]).toEqual([verb, resource, false]);
});

test('roles that collect others show what they have collected, and follow', async () => {
  const store = new MemoryStore();
  await ensureDefaultPolicy(store, ambient);
  const ending = new AbortController();
  const policy = await policyOf(store);
  keepGathered(store, policy, clock, ending.signal);
  // What comes with the server is collected from the start.
  const begun = store.revision();
  expect((await read(store, roleKey('admin'))).rules?.length).toBeGreaterThan(10);
  const own = { verbs: ['get'], apiGroups: ['own.dev'], resources: ['things'] };
  const labels = { 'rbac.authorization.k8s.io/aggregate-to-view': 'true' };
  await policy.upToDate();
  expect(store.revision()).toBe(begun);
  await write(store, roleKey('own'), { metadata: { name: 'own', labels }, rules: [own] });
  for (const role of ['view', 'edit', 'admin', 'auditor'])
    await expect.poll(async () => (await read(store, roleKey(role))).rules).toContainEqual(own);
  await write(store, roleKey('own'), undefined);
  await expect.poll(async () => (await read(store, roleKey('admin'))).rules).not.toContainEqual(own);
  ending.abort();
});
