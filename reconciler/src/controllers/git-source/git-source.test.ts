/** GitSources over real repositories, and what holds a whole commit. */
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { FETCH_USER, findUser } from '@plumb/schemas/sources/users.ts';
import { afterEach, expect, test } from 'vitest';
import { looker } from '../../git/looker.ts';
import { makeRepository } from '../../git/testing/repository.ts';
import { type GitRig, offeringOf, sourceSpec, startGitRig, zoneOf } from './testing/git-rig.ts';

let git: GitRig;
afterEach(() => git.stop());

const zone = (name: string) => `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: ${name}}\nspec: {}\n`;

test('a push is applied, and what it takes away is deleted', async () => {
  using repository = makeRepository({ 'a.yaml': zone('a') });
  const look = looker({
    rules: { folders: [repository.folder] },
    limits: defaultServerLimits,
    user: () => findUser(FETCH_USER),
    clock: realAmbient().clock,
  });
  git = await startGitRig({ look });
  await git.rig.create('GitSource', 'estate', sourceSpec({ url: repository.url }));
  await git.rig.ready('GitSource', 'estate');
  const manager = { manager: 'gitsource/default/estate', operation: 'Apply' };
  expect(git.rig.get('Zone', 'a')?.metadata.managedFields).toMatchObject([manager]);

  repository.write('b.yaml', zone('b'));
  const pushed = repository.commit();
  await git.look();
  await expect.poll(() => git.status().revision).toBe(pushed);
  await git.rig.ready('GitSource', 'estate');
  expect(git.rig.get('Zone', 'b')).toBeDefined();
  expect(git.status()).toMatchObject({ inventory: ['Zone/a', 'Zone/b'], history: [{ revision: pushed }, {}] });
});

test('without an account nothing is allowed, and with one only what it may', async () => {
  git = await startGitRig({ rules: [{ verbs: ['patch'], apiGroups: ['plumb.dev'], resources: ['zones'] }] });
  git.push([zoneOf('a')]);
  const { serviceAccountName: _, ...nobody } = sourceSpec();
  await git.rig.create('GitSource', 'estate', nobody);
  await expect.poll(() => git.reason()).toBe('NoServiceAccount');
  await git.rig.create('GitSource', 'other', sourceSpec());
  await expect.poll(() => git.reason('other')).toBe('Forbidden');
  expect(git.message('other')).toContain('User "system:serviceaccount:default:ci" cannot create resource "zones"');
  await git.rig.create('GitSource', 'third', sourceSpec({ serviceAccountName: 'nobody' }));
  await expect.poll(() => git.reason('third')).toBe('ServiceAccountNotFound');
  expect(await git.rig.keys('/objects/zones/')).toEqual([]);
});

test('an account hands out no right that it lacks, and deletes nothing that it may not', async () => {
  const zones = { verbs: ['create', 'patch'], apiGroups: ['plumb.dev'], resources: ['zones'] };
  const roles = { verbs: ['create', 'patch'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] };
  git = await startGitRig({ rules: [zones, roles] });
  git.push([
    zoneOf('a'),
    {
      ...{ apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRole', metadata: { name: 'all' } },
      rules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
    },
  ]);
  await git.rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await expect.poll(() => git.reason()).toBe('Forbidden');
  expect(git.message()).toContain('attempting to grant RBAC permissions not currently held');
  expect(await git.rig.keys('/objects/zones/')).toEqual([]);

  const many = Array.from({ length: 20 }, (_, n) => zoneOf(`z${n}`));
  git.push(many);
  await git.look();
  await git.rig.ready('GitSource', 'estate');
  git.push(many.slice(1));
  await git.look();
  await expect.poll(() => git.reason()).toBe('Forbidden');
  expect(git.message()).toContain('cannot delete resource "zones"');
  expect(git.rig.get('Zone', 'z0')?.metadata.deletionTimestamp).toBeUndefined();
});

const wrong: Record<string, [object[], string, RegExp]> = {
  'a kind that nobody knows': [
    [{ apiVersion: 'plumb.dev/v1', kind: 'Zeppelin', metadata: { name: 'x' } }],
    'UnknownKind',
    /plumb.dev\/v1 Zeppelin x/,
  ],
  'a version that nobody knows': [
    [{ apiVersion: 'plumb.dev/v9', kind: 'Zone', metadata: { name: 'x' } }],
    'UnknownKind',
    /plumb.dev\/v9 Zone x/,
  ],
  'a field that is not known': [[{ ...zoneOf('x'), spec: { a: 1 } }], 'Invalid', /Zone\/x: .*spec\.a|\.spec\.a/],
  'a value out of bounds': [[offeringOf('x', 0)], 'Invalid', /InstanceOffering\/x: /],
  'the same object twice': [[zoneOf('a')], 'CommitRefused', /declares Zone\/a twice/],
  'the source itself': [
    [
      {
        apiVersion: 'plumb.dev/v1',
        kind: 'GitSource',
        metadata: { name: 'estate' },
        spec: { url: 'https://x.example.org/y' },
      },
    ],
    'CommitRefused',
    /declares the GitSource by which/,
  ],
  'a project that is not there': [
    [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'nowhere' } }],
    'NamespaceNotFound',
    /no project nowhere/,
  ],
  managedFields: [
    [zoneOf('x', {}), { ...zoneOf('y'), metadata: { name: 'y', managedFields: [] } }],
    'BadRequest',
    /managedFields must be nil/,
  ],
};

test.each(Object.entries(wrong))('%s holds the whole commit', async (_, [objects, reason, message]) => {
  git = await startGitRig();
  git.push([zoneOf('a'), ...(objects as ReturnType<typeof zoneOf>[])]);
  await git.rig.create('GitSource', 'estate', sourceSpec());
  await expect.poll(() => git.reason()).toBe(reason);
  expect(git.message()).toMatch(/^nothing of the commit is applied: /);
  expect(git.message()).toMatch(message);
  expect(await git.rig.keys('/objects/zones/')).toEqual([]);
});

test('projects, accounts and what lies in them come in one commit', async () => {
  git = await startGitRig();
  const rbac = 'rbac.authorization.k8s.io/v1';
  git.push([
    { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'team' }, data: { a: 'b' } },
    { apiVersion: rbac, kind: 'Role', metadata: { name: 'r', namespace: 'team' }, rules: [] },
    { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'default', namespace: 'team' } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } },
  ]);
  await git.rig.create('GitSource', 'estate', sourceSpec());
  await git.rig.ready('GitSource', 'estate');
  expect(git.status().inventory).toEqual([
    'Namespace/team',
    'Role/team/r',
    'ServiceAccount/team/default',
    'ConfigMap/team/c',
  ]);
});
