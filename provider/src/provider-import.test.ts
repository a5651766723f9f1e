/** The provider over its real protocol, against an API in memory: what is there already. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi } from './testing/fake-api.ts';
import type { ObjectValue } from './value/value.ts';

const TOKEN = 'a-token-that-nobody-may-see';
const HOME = '/apis/plumb.dev/v1/zones/home';

let api: FakeApi;
let core: Core;
let terraform: Connection;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' });
  terraform = await core.configured({ endpoint: api.endpoint, token: TOKEN });
});

afterEach(async () => {
  core.close();
  await api.close();
});

const zone: ObjectValue = { name: 'home', description: 'A note.' };
const made = async (config: ObjectValue = zone) => (await terraform.apply('plumb_zone', config, null)).state!;

describe('import and data', () => {
  test('imports by name, with every key but those of other tools', async () => {
    await made({ ...zone, labels: { rack: 'a' }, annotations: { note: 'x' } });
    const { metadata } = api.object(HOME)!;
    metadata.annotations!['kubectl.kubernetes.io/last-applied-configuration'] = '{}';
    const { state } = await terraform.import('plumb_zone', 'home');
    expect(state).toMatchObject({ name: 'home', labels: { rack: 'a' }, annotations: { note: 'x' }, timeouts: null });
  });

  test('imports by project and name', async () => {
    const config = { name: 'lab', project: 'shop', l2_network: 'l2', ipv4: { cidr: '10.0.0.0/24' } };
    expect((await terraform.apply('plumb_l3_network', config, null)).errors).toEqual([]);
    const { state } = await terraform.import('plumb_l3_network', 'shop/lab');
    expect(state).toMatchObject({ name: 'lab', project: 'shop', ipv4: { cidr: '10.0.0.0/24' } });
    const missing = await terraform.import('plumb_l3_network', 'lab');
    expect(missing.errors).toEqual([expect.stringContaining('There is no L3Network default/lab to import.')]);
  });

  test.each([['a/b'], [''], ['a/']])('refuses the id %j of a zone', async (id) => {
    expect((await terraform.import('plumb_zone', id)).errors[0]).toContain('The id of a Zone is its name');
  });

  test('a data source has everything, and must be there', async () => {
    await made({ ...zone, labels: { rack: 'a' } });
    const { state } = await terraform.data('plumb_zone', { name: 'home' });
    expect(state).toEqual({
      name: 'home',
      deletion_protection: null,
      description: 'A note.',
      labels: { rack: 'a' },
      annotations: {},
      status: { uid: 'uid-1', ready: true },
    });
    const { errors } = await terraform.data('plumb_zone', { name: 'away' });
    expect(errors).toEqual([expect.stringContaining('There is no Zone away.')]);
  });
});
