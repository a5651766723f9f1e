/** GitSources over real repositories, with the API's own judgement of what their accounts may do. */
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { FETCH_USER, findUser } from '@plumb/schemas/sources/users.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { followPolicy, type Policy } from '../../authorization/policy-feed.ts';
import { gitDoor } from '../../extensions/git-door.ts';
import { looker } from '../../git/looker.ts';
import { makeRepository, type TestRepository } from '../../git/testing/repository.ts';
import { keys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/store.ts';
import { condition } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';
import { gitLooks } from './looks.ts';

const zone = (name: string, labels = '{}') =>
  `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: ${name}, labels: ${labels}}\nspec: {}\n`;

let repository: TestRepository;
let rig: Rig;
let policy: Policy;
let ending: AbortController;

beforeEach(() => {
  repository = makeRepository();
  ending = new AbortController();
});
afterEach(async () => {
  await rig?.stop();
  ending.abort();
  repository[Symbol.dispose]();
});

/** A project with an account that may do everything with Plumb's kinds, unless other rules are given. */
async function begin(
  rules: object[] = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
  limits: Partial<ServerLimits> = {},
  store: Store = new MemoryStore(),
) {
  await put(store, 'namespaces', undefined, 'default', { apiVersion: 'v1', kind: 'Namespace', spec: {} });
  await put(store, 'serviceaccounts', 'default', 'ci', { apiVersion: 'v1', kind: 'ServiceAccount' });
  await put(store, 'clusterroles', undefined, 'ci', {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRole',
    rules,
  });
  await put(store, 'clusterrolebindings', undefined, 'ci', {
    ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding' },
    subjects: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'default' }],
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'ci' },
  });
  policy = await followPolicy(store, ending.signal, () => {});
  const look = looker({
    rules: { folders: [repository.folder] },
    limits: { ...defaultServerLimits, ...limits },
    user: () => findUser(FETCH_USER),
    clock: realAmbient().clock,
  });
  rig = await startRig({ store, limits, git: (parts) => gitDoor({ ...parts, policy, look }) });
}

async function put(store: Store, plural: string, namespace: string | undefined, name: string, object: object) {
  const metadata = {
    name,
    ...(namespace ? { namespace } : {}),
    uid: `uid-${plural}-${name}`,
    creationTimestamp: '2026-01-01T00:00:00Z',
  };
  const { apiVersion, kind, ...body } = object as { apiVersion: string; kind: string };
  const value = JSON.stringify({ apiVersion, kind, metadata, ...body });
  const key = keys.object(plural, namespace, name);
  await store.commit({ preconditions: [], ops: [{ type: 'put', key, value }] });
}

const spec = (more: object = {}) => ({
  ...{ url: repository.url, ref: 'main', intervalSeconds: 3600, suspend: false, prune: false, driftPolicy: 'Repair' },
  ...{ atomic: false, serviceAccountName: 'ci' },
  ...more,
});

/** Looks at the repository now, as `plumb git sync` does. */
async function look(name = 'estate') {
  const { uid } = rig.get('GitSource', name)!.metadata;
  const last = rig.context.own(gitLooks).of(uid);
  last.wanted = true;
  const key = keys.object('gitsources', 'default', name);
  rig.context.enqueue(key);
}

const statusOf = (name = 'estate') => rig.get('GitSource', name)?.status as Record<string, unknown> | undefined;
const reason = (name = 'estate') => condition(rig.get('GitSource', name), 'Ready')?.reason;
const message = (name = 'estate') => condition(rig.get('GitSource', name), 'Ready')?.message ?? '';

test('a commit is applied, as the account that is named, and again when there is another', async () => {
  repository.write('a.yaml', zone('a'));
  const first = repository.commit();
  await begin();
  await rig.create('GitSource', 'estate', spec());
  await rig.ready('GitSource', 'estate');
  expect(statusOf()).toMatchObject({ revision: first, inventory: ['Zone/a'] });
  expect(rig.get('Zone', 'a')?.metadata.managedFields?.[0]).toMatchObject({
    manager: 'gitsource/default/estate',
    operation: 'Apply',
  });

  repository.write('b.yaml', zone('b'));
  const second = repository.commit();
  await look();
  await expect.poll(() => statusOf()?.revision).toBe(second);
  await rig.ready('GitSource', 'estate');
  expect(rig.get('Zone', 'b')).toBeDefined();
});

test('without an account nothing is allowed, and with one only what it may', async () => {
  repository.write('a.yaml', zone('a'));
  repository.commit();
  await begin([{ verbs: ['patch'], apiGroups: ['plumb.dev'], resources: ['zones'] }]);
  const { serviceAccountName: _, ...nobody } = spec();
  await rig.create('GitSource', 'estate', nobody);
  await expect.poll(() => reason()).toBe('NoServiceAccount');
  await rig.create('GitSource', 'other', spec());
  await expect.poll(() => reason('other')).toBe('Forbidden');
  expect(message('other')).toContain('User "system:serviceaccount:default:ci" cannot create resource "zones"');
  expect(await rig.keys('/objects/zones/')).toEqual([]);
});

test('what no kind knows holds the whole commit', async () => {
  repository.write('a.yaml', zone('a'));
  repository.write('b.yaml', 'apiVersion: plumb.dev/v1\nkind: Zeppelin\nmetadata: {name: x}\n');
  repository.commit();
  await begin();
  await rig.create('GitSource', 'estate', spec());
  await expect.poll(() => reason()).toBe('UnknownKind');
  expect(await rig.keys('/objects/zones/')).toEqual([]);
});

test('one object that is wrong holds the whole commit', async () => {
  repository.write('a.yaml', zone('a'));
  repository.write(
    'b.yaml',
    'apiVersion: plumb.dev/v1\nkind: InstanceOffering\nmetadata: {name: x}\nspec: {cpus: 0, memoryMiB: 1}\n',
  );
  repository.commit();
  await begin();
  await rig.create('GitSource', 'estate', spec());
  await expect.poll(() => reason()).toBe('Invalid');
  expect(message()).toMatch(/^nothing of the commit is applied: InstanceOffering\/x: /);
  expect(await rig.keys('/objects/zones/')).toEqual([]);
});
