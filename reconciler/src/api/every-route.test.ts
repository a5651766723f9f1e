/**
 * Every verb of every resource that discovery names: exactly one right opens it, and all others together do not. A resource that is
 * added later is tried here without a word.
 */
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { PolicyRule } from '../authorization/policy.ts';
import { grant } from './testing/policy.ts';
import { type ApiRig, startApiRig } from './testing/rig.ts';

const ANN = { kind: 'User', name: 'ann' };
const METHODS: Record<string, string> = {
  ...{ get: 'GET', list: 'GET', watch: 'GET', create: 'POST', update: 'PUT', patch: 'PATCH', delete: 'DELETE' },
  deletecollection: 'DELETE',
};
const OF_ONE = ['get', 'update', 'patch', 'delete'];

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig({ users: { 'token-ann': { name: 'ann', groups: [] } } });
});
afterAll(() => api.stop());

interface Route {
  group: string;
  resource: string;
  verb: string;
  namespaced: boolean;
  root: string;
}

async function routes(): Promise<Route[]> {
  const { groups } = (await api.ask('GET', '/apis')).body as { groups: { versions: { groupVersion: string }[] }[] };
  const versions = groups.flatMap((one) => one.versions.map(({ groupVersion }) => groupVersion));
  const found: Route[] = [];
  for (const version of ['v1', ...versions]) {
    const root = version === 'v1' ? '/api/v1' : `/apis/${version}`;
    const group = version === 'v1' ? '' : version.slice(0, version.indexOf('/'));
    const { resources } = (await api.ask('GET', root)).body as {
      resources: { name: string; namespaced: boolean; verbs: string[] }[];
    };
    for (const { name, namespaced, verbs } of resources)
      for (const verb of verbs) found.push({ group, resource: name, verb, namespaced, root });
  }
  return found;
}

async function codeOf({ resource, verb, namespaced, root }: Route): Promise<number> {
  const [plural, below] = resource.split('/');
  const one = OF_ONE.includes(verb) || below !== undefined;
  const path = [root, ...(namespaced ? ['namespaces', 'lab'] : []), plural, ...(one ? ['none'] : []), below];
  const method = METHODS[verb]!;
  const query = verb === 'watch' ? '?watch=true&timeoutSeconds=1' : '';
  const headers: Record<string, string> = method === 'PATCH' ? { 'content-type': 'application/merge-patch+json' } : {};
  const asking = { token: 'token-ann', headers, ...(method === 'GET' ? {} : { body: {} }) };
  if (verb === 'watch') {
    const watch = api.watch(`${path.filter(Boolean).join('/')}${query}`, { authorization: 'Bearer token-ann' });
    const status = await watch.status;
    watch.end();
    return status;
  }
  return (await api.ask(method, `${path.filter((part) => part !== undefined).join('/')}${query}`, asking)).status;
}

async function having(rules: readonly PolicyRule[], attempt: () => Promise<void>): Promise<void> {
  const given = await grant(api.store, ANN, rules);
  try {
    await attempt();
  } finally {
    await given.revoke();
  }
}

test('every verb that discovery names is one that is known here', async () => {
  const all = await routes();
  expect(all.length).toBeGreaterThan(100);
  expect(all.filter(({ verb }) => METHODS[verb] === undefined)).toEqual([]);
});

test('the right to it opens a route', async () => {
  for (const route of await routes()) {
    const { group, resource, verb } = route;
    await having([{ verbs: [verb], apiGroups: [group], resources: [resource] }], async () => {
      expect([group, resource, verb, await codeOf(route)]).not.toEqual([group, resource, verb, 403]);
    });
  }
});

test('without it, all other rights do not', async () => {
  const all = await routes();
  for (const route of all) {
    const { group, resource, verb } = route;
    const others = all.filter((one) => one !== route);
    const rules = [
      ...others
        .filter((one) => one.group === group && (one.resource === resource) !== (one.verb === verb))
        .map((one) => ({ verbs: [one.verb], apiGroups: [group], resources: [one.resource] })),
      { verbs: ['*'], apiGroups: [group], resources: ['nothing'], resourceNames: ['none'] },
      { verbs: ['*'], nonResourceURLs: ['*'] },
    ];
    await having(rules, async () => {
      expect([group, resource, verb, await codeOf(route)]).toEqual([group, resource, verb, 403]);
    });
  }
});
