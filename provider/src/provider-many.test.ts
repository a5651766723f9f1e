/** Many objects at once over the real protocol: plural data sources, lists, and configurations that are written for them. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { terraformKinds } from './resources.ts';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi, failure } from './testing/fake-api.ts';
import type { ObjectValue } from './value/value.ts';

let api: FakeApi;
let core: Core;
let terraform: Connection;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' });
  terraform = await core.configured({ endpoint: api.endpoint, token: 'a-token' });
});

afterEach(async () => {
  core.close();
  await api.close();
});

const network = (name: string, project = 'default', labels: ObjectValue | null = null): ObjectValue => ({
  ...{ name, project, labels },
  ...{ l2_network: 'l2', ipv4: { cidr: '10.0.0.0/24' } },
});
const make = async (...all: ObjectValue[]) => {
  for (const one of all) expect((await terraform.apply('plumb_l3_network', one, null)).errors).toEqual([]);
};

test('a plural data source has what its selectors choose, in order', async () => {
  await make(network('b', 'default', { tier: 'web' }), network('a'), network('c', 'shop', { tier: 'web' }));
  const names = async (wanted: ObjectValue) => {
    const { state, errors } = await terraform.data('plumb_l3_networks', wanted);
    expect(errors).toEqual([]);
    const items = state!.items as ObjectValue[];
    expect(items.map(({ name }) => name)).toEqual(state!.names);
    for (const { ipv4, status } of items) expect([ipv4, status]).toMatchObject([{ cidr: '10.0.0.0/24' }, {}]);
    return items.map(({ project, name }) => `${String(project)}/${String(name)}`);
  };
  expect(await names({})).toEqual(['default/a', 'default/b']);
  expect(await names({ project: 'shop' })).toEqual(['shop/c']);
  expect(await names({ all_projects: true, selector: 'tier=web' })).toEqual(['default/b', 'shop/c']);
  expect(await names({ project: 'empty' })).toEqual([]);
});

test('a selection that cannot be read is refused before the server is asked, on its attribute', async () => {
  for (const [wanted, path, part] of [
    [{ selector: 'tier in' }, 'selector', 'cannot be read'],
    [{ field_selector: 'metadata.name' }, 'field_selector', 'cannot be read'],
    [{ project: 'No Name' }, 'project', 'must match'],
    [{ project: 'a', all_projects: true }, 'all_projects', 'leave out one'],
  ] as const) {
    for (const errors of [
      await terraform.validateData('plumb_l3_networks', wanted),
      await terraform.validateList('plumb_l3_network', wanted),
    ]) {
      expect(errors).toEqual([expect.stringMatching(new RegExp(`${part}.*\\| ${path}$`, 's'))]);
    }
  }
});

test('more objects than a page has are all told, each once, also when the server forgets where it began', async () => {
  for (let i = 0; i < 1203; i++) {
    const metadata = { name: `z-${i}`, uid: `u-${i}`, generation: 1, creationTimestamp: '', resourceVersion: '' };
    api.put(`/apis/plumb.dev/v1/zones/z-${i}`, {
      apiVersion: 'plumb.dev/v1',
      kind: 'Zone',
      metadata,
      spec: {},
    } as never);
  }
  let forgotten = 0;
  api.fault = ({ path }) =>
    path.includes('continue=') && forgotten++ === 1 ? { code: 410, body: failure(410, 'Expired', 'gone') } : undefined;
  const { state, errors } = await terraform.data('plumb_zones', {});
  expect(errors).toEqual([]);
  expect(new Set(state!.names as string[]).size).toBe(1203);
  expect(state!.names).toHaveLength(1203);
});

test('a list tells identity, name and, when asked, the object; no more than is wanted, and not what is being deleted', async () => {
  await make(network('a', 'default', { tier: 'web' }), network('b'), network('c', 'shop'));
  const all = await terraform.list('plumb_l3_network', { all_projects: true });
  expect(all.map(({ name, identity }) => [name, identity])).toEqual([
    ['default/a', { name: 'a', project: 'default' }],
    ['default/b', { name: 'b', project: 'default' }],
    ['shop/c', { name: 'c', project: 'shop' }],
  ]);
  expect(all[0]!.state).toMatchObject({ labels: { tier: 'web' }, ipv4: { cidr: '10.0.0.0/24' } });
  const [one, ...none] = await terraform.list('plumb_l3_network', {}, 1, false);
  expect([one?.name, one?.state, none]).toEqual(['default/a', null, []]);
  const dying = api.object('/apis/plumb.dev/v1/namespaces/default/l3networks/a')!;
  api.put('/apis/plumb.dev/v1/namespaces/default/l3networks/a', {
    ...dying,
    metadata: { ...dying.metadata, deletionTimestamp: 'now' },
  });
  expect((await terraform.list('plumb_l3_network', {})).map(({ name }) => name)).toEqual(['default/b']);
});

test('a list that the server refuses says why', async () => {
  api.fault = ({ path }) =>
    path.includes('l3networks')
      ? { code: 403, body: failure(403, 'Forbidden', 'you may not list l3networks') }
      : undefined;
  const [event] = await terraform.list('plumb_l3_network', {});
  expect(event!.errors).toEqual([expect.stringContaining('you may not list l3networks')]);
});

test('the configuration that is written for an object has what a person would write, and plans no change', async () => {
  await make(network('a', 'shop', { tier: 'web' }));
  const [found] = await terraform.list('plumb_l3_network', { project: 'shop' });
  const state = found!.state!;
  const { state: config } = await terraform.generate('plumb_l3_network', state);
  expect(config).toMatchObject({ name: 'a', project: 'shop', labels: { tier: 'web' }, status: null, timeouts: null });
  const planned = await terraform.plan('plumb_l3_network', config, state);
  expect(planned).toMatchObject({ errors: [], replace: [], state });
});

test('every resource has a plural data source and a list, and the metadata names what the schema has', async () => {
  const schema = await terraform.call('GetProviderSchema', {});
  const metadata = await terraform.call('GetMetadata', {});
  const names = (of: string) => (metadata[of] as { typeName: string }[]).map(({ typeName }) => typeName).toSorted();
  expect(Object.keys(schema.dataSourceSchemas as object).toSorted()).toEqual(names('dataSources'));
  expect(Object.keys(schema.listResourceSchemas as object).toSorted()).toEqual(names('listResources'));
  for (const { typeName, pluralType } of terraformKinds) {
    expect(names('dataSources')).toEqual(expect.arrayContaining([typeName, pluralType]));
    expect(names('listResources')).toContain(typeName);
  }
});
