/** Plain kubectl and access: ServiceAccounts and their tokens, roles, `auth can-i`, `auth whoami`, `--as`. */
import { spawnSync } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Control, startControl } from './kubectl/control.ts';
import { kubectlOf } from './kubectl/kubectl.ts';

const present = spawnSync('kubectl', ['version', '--client']).status === 0;
if (!present && process.env.CI) throw new Error('kubectl is missing, and in CI nothing may be skipped');

const CI = 'system:serviceaccount:lab:ci';

describe.skipIf(!present)('kubectl', () => {
  let control: Control;
  let kubeconfig: string;
  beforeAll(async () => {
    control = await startControl();
    await expectOk('create namespace lab');
    await expectOk('apply -f -', 'apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: home}\n');
  });
  afterAll(() => control?.close());

  const { kubectl, expectOk } = kubectlOf(() => control);
  const asCi = (args: string) => kubectl(`--kubeconfig ${kubeconfig} ${args}`);

  test('a ServiceAccount with a token and a kubeconfig of its own', async () => {
    await expectOk('create serviceaccount ci -n lab');
    await expectOk('create rolebinding ci-views -n lab --clusterrole=view --serviceaccount=lab:ci');
    const token = (await expectOk('create token ci -n lab --duration=24h')).trim();
    expect(token.split('.')).toHaveLength(3);
    kubeconfig = join(control.folder, 'ci.kubeconfig');
    await writeFile(kubeconfig, await readFile(control.kubeconfig, 'utf8'), { mode: 0o600 });
    await expectOk(`--kubeconfig ${kubeconfig} config set-credentials ci --token=${token}`);
    await expectOk(`--kubeconfig ${kubeconfig} config set-context --current --user=ci --namespace=lab`);
    const who = await asCi('auth whoami -o json');
    expect(JSON.parse(who.stdout).status.userInfo).toMatchObject({
      username: CI,
      groups: ['system:serviceaccounts', 'system:serviceaccounts:lab', 'system:authenticated'],
    });
    expect((await asCi('auth whoami')).stdout).toContain(CI);
  });

  test('it sees its project and what the estate offers, and is refused the rest in one sentence', async () => {
    expect(await asCi('get instances')).toMatchObject({ code: 0 });
    expect((await asCi('get zones -o name')).stdout).toBe('zone.plumb.dev/home\n');
    const refused = await asCi('get hosts');
    expect(refused.code).toBe(1);
    expect(refused.stderr).toBe(
      `Error from server (Forbidden): hosts.plumb.dev is forbidden: User "${CI}" cannot list resource "hosts" in API group "plumb.dev" at the cluster scope\n`,
    );
    expect((await asCi('delete zone home')).stderr).toContain('(Forbidden): zones.plumb.dev "home" is forbidden');
    expect((await asCi('get instances -n default')).stderr).toContain('in the namespace "default"');
    expect((await asCi('create serviceaccount other')).stderr).toContain('cannot create resource "serviceaccounts"');
  });

  test('auth can-i says what would be decided', async () => {
    for (const [args, answer] of [
      ['list instances', 'yes'],
      ['get instances/web-0', 'yes'],
      ['delete instances', 'no'],
      ['list instances -n default', 'no'],
      ['use zones', 'yes'],
      ['create hosts', 'no'],
      ['get /openapi/v3', 'yes'],
      ['get /metrics', 'no'],
    ])
      expect([args, (await asCi(`auth can-i ${args}`)).stdout.trim().split('\n').at(-1)]).toEqual([args, answer]);
    expect((await kubectl('auth can-i * *')).stdout.trim()).toBe('yes');
    const list = await asCi('auth can-i --list');
    expect(list.stdout).toMatch(/^zones\.plumb\.dev .*\[get list watch use/m);
    expect((await kubectl(`auth can-i list instances -n lab --as ${CI}`)).stdout.trim()).toBe('yes');
    expect((await kubectl(`auth can-i list instances -n default --as ${CI}`)).stdout.trim()).toBe('no');
  });

  test('--as is obeyed where it is granted, and refused elsewhere', async () => {
    expect((await kubectl('get hosts --as bob')).stderr).toContain('User "bob" cannot list resource "hosts"');
    expect(await kubectl('get hosts --as bob --as-group system:masters')).toMatchObject({ code: 0 });
    expect((await asCi('get hosts --as bob')).stderr).toContain('cannot impersonate resource "users"');
    expect((await asCi('get hosts --as bob --as-group system:masters')).code).toBe(1);
  });

  test('roles of one’s own, put right by auth reconcile', async () => {
    await expectOk('create role operator -n lab --verb=get,list,watch,patch --resource=instances.plumb.dev');
    await expectOk('create rolebinding ci-operates -n lab --role=operator --serviceaccount=lab:ci');
    expect((await asCi('auth can-i patch instances')).stdout.trim()).toBe('yes');
    const more = `
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: operator, namespace: lab}
rules:
  - {apiGroups: [plumb.dev], resources: [instances], verbs: [delete]}
`;
    expect(await expectOk('auth reconcile -f -', more)).toContain('reconciled');
    expect((await asCi('auth can-i delete instances')).stdout.trim()).toBe('yes');
    expect((await asCi('auth can-i patch instances')).stdout.trim()).toBe('yes');
    const described = await expectOk('describe clusterrole view');
    expect(described).toContain('instances.plumb.dev');
    await expectOk('delete rolebinding ci-operates -n lab');
    expect((await asCi('auth can-i patch instances')).stdout.trim()).toBe('no');
  });

  test('a token is void when its account goes', async () => {
    await expectOk('delete serviceaccount ci -n lab');
    const { code, stderr } = await asCi('get instances');
    expect([code, stderr]).toEqual([1, expect.stringMatching(/Unauthorized|You must be logged in/)]);
  });
});
