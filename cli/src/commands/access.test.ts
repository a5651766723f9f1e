import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type ApiRig, manifests, startApiRig, V1 } from '@plumb/reconciler/api/testing/rig.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type RunOptions, run, runPlumb } from '../testing/run.ts';

const RBAC = '/apis/rbac.authorization.k8s.io/v1';
let api: ApiRig;
let folder: string;
let kubeconfig: string;

beforeAll(async () => {
  api = await startApiRig();
  folder = mkdtempSync(join(tmpdir(), 'plumb-access-'));
  kubeconfig = join(folder, 'ci.kubeconfig');
  await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'lab' } } });
  await api.ask('POST', '/api/v1/namespaces/lab/serviceaccounts', { body: { metadata: { name: 'ci' } } });
  const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'edit' };
  const body = { metadata: { name: 'ci' }, roleRef, subjects: [{ kind: 'ServiceAccount', name: 'ci' }] };
  await api.ask('POST', `${RBAC}/namespaces/lab/rolebindings`, { body });
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('home') });
});
afterAll(async () => {
  await api?.stop();
  rmSync(folder, { recursive: true, force: true });
});

const asCi = (args: string[], options: RunOptions = {}) => run(args, { ...options, env: { KUBECONFIG: kubeconfig } });

test('a kubeconfig of a ServiceAccount is written, for its owner alone, and is used as any other', async () => {
  const made = await runPlumb(api, ['access', 'token', 'ci', '-n', 'lab', '--ttl', '24h', '--out', kubeconfig]);
  expect(made).toMatchObject({ code: 0, out: '' });
  expect(made.err).toMatch(/^\S+ is a kubeconfig of ServiceAccount lab\/ci: it expires at \S+\n$/);
  expect(statSync(kubeconfig).mode & 0o777).toBe(0o600);
  expect(await asCi(['access', 'whoami'])).toMatchObject({
    code: 0,
    out: 'system:serviceaccount:lab:ci\n  system:serviceaccounts\n  system:serviceaccounts:lab\n  system:authenticated\n',
  });
});

test('a token alone is printed', async () => {
  const { code, out, err } = await runPlumb(api, ['access', 'token', 'ci', '-n', 'lab']);
  expect([code, out.trim().split('.').length]).toEqual([0, 3]);
  expect(err).toContain('the token of ServiceAccount lab/ci: it expires at ');
  const none = await runPlumb(api, ['access', 'token', 'nosuch', '-n', 'lab']);
  expect([none.code, none.err]).toEqual([1, expect.stringContaining('serviceaccounts "nosuch" not found')]);
});

test.each([
  ['create instances', 0, /^yes - RBAC: allowed by RoleBinding "ci\/lab" of ClusterRole "edit"/],
  ['create vm -n default', 1, /^no\n$/],
  ['use zone/home', 0, /^yes/],
  ['delete zone/home', 1, /^no\n$/],
  ['get secrets', 0, /^yes/],
  ['create flows/retry', 0, /^yes/],
  ['create fences', 1, /^no\n$/],
  ['get /metrics', 1, /^no\n$/],
  ['get /openapi/v3', 0, /^yes/],
])('can-i %s', async (words, code, says) => {
  const answer = await asCi(['access', 'can-i', ...words.split(' ')]);
  expect(answer).toMatchObject({ code, out: expect.stringMatching(says) });
});

test('who works in one project gets, describes, applies, lists flows and deletes there', async () => {
  const file = join(folder, 'net.yaml');
  writeFileSync(file, JSON.stringify({ ...manifests.instance('web'), metadata: { name: 'web' } }));
  expect(await asCi(['apply', '-f', file, '--no-wait'])).toMatchObject({ code: 0 });
  expect((await asCi(['get', 'instances'])).out).toContain('web');
  expect((await asCi(['get', 'zones'])).out).toContain('home');
  expect((await asCi(['describe', 'instance', 'web'])).out).toContain('Events');
  expect((await asCi(['get', 'hosts'])).err).toContain('cannot list resource "hosts"');
  expect((await asCi(['delete', 'instance', 'web', '--no-wait', '--yes'])).code).toBe(0);
  expect((await asCi(['delete', 'zone', 'home', '--no-wait', '--yes'])).err).toContain(
    'cannot delete resource "zones"',
  );
});

test('what is no question is told', async () => {
  for (const args of [['access'], ['access', 'can-i', 'get'], ['access', 'token'], ['access', 'who']])
    expect((await runPlumb(api, args)).code).not.toBe(0);
  expect(readFileSync(kubeconfig, 'utf8')).toContain('namespace: lab');
});
