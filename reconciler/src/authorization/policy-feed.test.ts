/** What the store holds of the policy may be damaged: then it gives no right, and whatever else is there still counts. */
import { expect, test } from 'vitest';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import type { Attributes, Identity } from './policy.ts';
import { followPolicy } from './policy-feed.ts';

const ann: Identity = { name: 'ann', groups: [] };
const asked: Attributes = {
  ...{ verb: 'get', group: 'plumb.dev', resource: 'zones', subresource: '', namespace: '', name: 'home' },
};
const rules = [{ verbs: ['get'], apiGroups: ['plumb.dev'], resources: ['zones'] }];
const roleRef = { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' };
const subjects = [{ kind: 'User', name: 'ann' }];

async function policyOf(role: unknown, binding: unknown) {
  const store = new MemoryStore();
  const text = (value: unknown) => (typeof value === 'string' ? value : JSON.stringify(value));
  const put = (key: string, value: unknown) =>
    store.commit({ preconditions: [], ops: [{ type: 'put', key, value: text(value) }] });
  await put(keys.object('clusterroles', undefined, 'r'), role);
  await put(keys.object('clusterrolebindings', undefined, 'b'), binding);
  const policy = await followPolicy(store, new AbortController().signal, () => {});
  return { store, put, index: policy.index, upToDate: policy.upToDate };
}

test('a good role counts, whatever name it says of itself, until it goes', async () => {
  const { store, index, upToDate } = await policyOf({ metadata: { name: 'other' }, rules }, { subjects, roleRef });
  expect(index.decide(ann, asked).allowed).toBe(true);
  const key = keys.object('clusterroles', undefined, 'r');
  await store.commit({ preconditions: [], ops: [{ type: 'delete', key }] });
  await upToDate();
  expect(index.decide(ann, asked).allowed).toBe(false);
});

test.each([
  ['a text', '"x"'],
  ['no JSON', '{'],
  ['null', 'null'],
  ['a list', []],
  ['rules that are no list', { rules: { verbs: ['*'] } }],
  ['a rule that is a text', { rules: ['*'] }],
  ['verbs that are a text', { rules: [{ ...rules[0], verbs: '*' }] }],
  ['names that are a number', { rules: [{ ...rules[0], resourceNames: 5 }] }],
  ['names that are a text', { rules: [{ ...rules[0], resourceNames: 'home' }] }],
  ['a name that is a number', { rules: [{ ...rules[0], resourceNames: [5] }] }],
  ['a name that is null', { rules: [{ ...rules[0], resourceNames: [null] }] }],
  ['groups that are an object', { rules: [{ ...rules[0], apiGroups: { 0: '*' } }] }],
])('a role that is %s gives nothing', async (_, role) => {
  const { index, put, upToDate } = await policyOf(role, { subjects, roleRef });
  expect(index.decide(ann, asked).allowed).toBe(false);
  await put(keys.object('clusterroles', undefined, 'r'), { rules });
  await upToDate();
  expect(index.decide(ann, asked).allowed).toBe(true);
});

test.each([
  ['subjects that are a text', { subjects: 'ann', roleRef }],
  ['a subject that is a text', { subjects: ['ann'], roleRef }],
  ['a subject of no kind', { subjects: [{ name: 'ann' }], roleRef }],
  ['a role that is a list', { subjects, roleRef: [roleRef] }],
  ['no role', { subjects }],
  ['no JSON', 'x'],
])('a binding of %s gives nothing', async (_, binding) => {
  const { index, put, upToDate } = await policyOf({ rules }, binding);
  expect(index.decide(ann, asked).allowed).toBe(false);
  await put(keys.object('clusterrolebindings', undefined, 'b'), { subjects, roleRef });
  await upToDate();
  expect(index.decide(ann, asked).allowed).toBe(true);
});

test('a role that collects by an operator that is not known collects nothing by it', async () => {
  const clusterRoleSelectors = [{ matchExpressions: [{ key: 'a', operator: 'Near' }] }, 'x', null];
  const { index, put, upToDate } = await policyOf(
    { aggregationRule: { clusterRoleSelectors }, rules },
    { subjects, roleRef },
  );
  await put(keys.object('clusterroles', undefined, 'part'), { metadata: { labels: { a: 'b' } }, rules });
  await upToDate();
  expect(index.decide(ann, asked).allowed).toBe(false);
});
