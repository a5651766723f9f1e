/** Functions and ephemeral resources over the real protocol. */
import type { TerraformType } from '@plumb/schemas/project/terraform.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { ephemerals } from './ephemeral/list.ts';
import { functions } from './functions/list.ts';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi } from './testing/fake-api.ts';
import { decodeObject, decodeTyped, encodeObject, encodeTyped } from './value/msgpack.ts';
import type { ObjectValue, Value } from './value/value.ts';
import type { DynamicValue } from './wire/messages.ts';

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

async function call(name: string, ...args: Value[]): Promise<unknown> {
  // Before the provider is configured, as Terraform does when it validates.
  const reply = await core.connect().call('CallFunction', {
    name,
    arguments: args.map((value) => ({ msgpack: encodeTyped(value) })),
  });
  const { msgpack } = (reply.result ?? {}) as DynamicValue;
  return reply.error ?? decodeTyped(msgpack!, functions[name]!.returns as TerraformType);
}

describe('functions', () => {
  test.each([
    ['10.0.0.0/8', '10.2.3.4', true],
    ['10.0.0.0/8', '10.255.0.0/16', true],
    ['10.0.0.0/16', '10.0.0.0/8', false],
    ['10.0.0.0/24', '10.0.1.0', false],
    ['0.0.0.0/0', '::1', false],
    ['fd00::/8', 'fdff:1::2', true],
    ['::ffff:10.0.0.0/104', '::ffff:10.1.2.3', true],
    ['10.0.0.7/24', '10.0.0.1', true],
  ])('%s contains %s: %s', async (cidr, inner, wanted) => {
    expect(await call('cidr_contains', cidr, inner)).toBe(wanted);
  });

  test.each([
    [['10.0.0.0/24', '10.0.1.0/24'], false],
    [['10.0.0.0/24', '192.168.0.0/16', '10.0.0.128/25'], true],
    [['10.0.0.0/8', '10.1.0.0/16', 'fd00::/8'], true],
    [[], false],
  ])('%j overlap: %s', async (cidrs, wanted) => {
    expect(await call('cidr_overlaps', cidrs)).toBe(wanted);
  });

  test('every item gets a place, no place more than its share, and little moves when a place goes', async () => {
    const items = Array.from({ length: 30 }, (_, i) => `web-${i}`);
    const places = ['h1', 'h2', 'h3', 'h4', 'h5', 'h6'];
    const before = (await call('spread', items, places)) as Record<string, string>;
    const after = (await call('spread', items.toReversed(), places.slice(1))) as Record<string, string>;
    const counts = (map: Record<string, string>) =>
      Object.values(Object.groupBy(items, (item) => map[item]!)).map((l) => l!.length);
    expect(Math.max(...counts(before))).toBe(5);
    expect(Math.max(...counts(after))).toBe(6);
    const moved = items.filter((item) => before[item] !== 'h1' && before[item] !== after[item]);
    expect(moved.length).toBeLessThan(items.length / 3);
    expect(await call('spread', [], [])).toEqual({});
  });

  test('a wrong argument is told with its place', async () => {
    expect(await call('cidr_contains', '10.0.0.0/33', '10.0.0.1')).toMatchObject({
      functionArgument: 0,
      text: 'has 33 bits of prefix, and an address has 32',
    });
    expect(await call('cidr_contains', '10.0.0.0/8', 'x')).toMatchObject({ functionArgument: 1 });
    expect(await call('spread', ['a'], [])).toMatchObject({ functionArgument: 1 });
    expect(await call('cidr_overlaps', ['10.0.0.0/8', null])).toMatchObject({ functionArgument: 0 });
    expect((await terraform.call('CallFunction', { name: 'toString', arguments: [] })).error).toMatchObject({
      text: 'This provider has no function toString.',
    });
  });

  test('schema, metadata and GetFunctions name the same', async () => {
    const names = Object.keys(functions).toSorted();
    const { functions: got } = await terraform.call('GetFunctions', {});
    const schema = await terraform.call('GetProviderSchema', {});
    const metadata = await terraform.call('GetMetadata', {});
    expect(Object.keys(got as object).toSorted()).toEqual(names);
    expect(Object.keys(schema.functions as object).toSorted()).toEqual(names);
    expect((metadata.functions as { name: string }[]).map(({ name }) => name).toSorted()).toEqual(names);
    expect(Object.keys(schema.ephemeralResourceSchemas as object)).toEqual(Object.keys(ephemerals));
    expect(metadata.ephemeralResources).toHaveLength(Object.keys(ephemerals).length);
  });
});

describe('ephemeral resources', () => {
  const open = async (typeName: string, config: ObjectValue) => {
    const { attributes } = ephemerals[typeName]!;
    const request = { typeName, config: { msgpack: encodeObject(config, attributes) } };
    const { diagnostics } = await terraform.call('ValidateEphemeralResourceConfig', request);
    const reply = await terraform.call('OpenEphemeralResource', request);
    const result = decodeObject((reply.result as DynamicValue).msgpack!, attributes);
    return { result, wrong: diagnostics!, told: reply.diagnostics!, kept: reply.private as Uint8Array };
  };

  test('a token of a ServiceAccount is asked for, and stands in the result alone', async () => {
    const status = { token: 'tok-1', expirationTimestamp: '2026-01-01T00:00:00Z' };
    api.fault = ({ path }) =>
      path.endsWith('/token') ? { code: 201, body: { kind: 'TokenRequest', status } } : undefined;
    const { result, told, wrong } = await open('plumb_service_account_token', { name: 'ci', project: 'shop' });
    expect([wrong, told]).toEqual([[], []]);
    expect(result).toMatchObject({ name: 'ci', token: 'tok-1', expires_at: '2026-01-01T00:00:00Z' });
    expect(api.seen.at(-1)).toMatchObject({
      path: '/api/v1/namespaces/shop/serviceaccounts/ci/token',
      body: { spec: { expirationSeconds: 3600 } },
    });
    expect(core.logs.join()).not.toContain('tok-1');
  });

  test('a join token is made, and revoked at the end of the run where that is asked for', async () => {
    const made = { metadata: { name: 'j1' }, token: 'tok-2', expires: '2026-01-01T00:00:00Z' };
    api.fault = ({ path, method }) =>
      path.includes('jointokens')
        ? { code: method === 'POST' ? 201 : 200, body: method === 'POST' ? made : {} }
        : undefined;
    const typeName = 'plumb_join_token';
    const kept = await open(typeName, { zone: 'home', revoke: true });
    expect(kept.result).toMatchObject({ id: 'j1', token: 'tok-2' });
    expect(api.seen.at(-1)!.body).toEqual({ zone: 'home', uses: 1, ttlSeconds: 3600 });
    expect((await terraform.call('RenewEphemeralResource', { typeName, private: kept.kept })).diagnostics).toEqual([]);
    // Terraform was interrupted, and ends what it has opened.
    await terraform.call('StopProvider', {});
    expect((await terraform.call('CloseEphemeralResource', { typeName, private: kept.kept })).diagnostics).toEqual([]);
    expect(api.seen.at(-1)).toMatchObject({ method: 'DELETE', path: '/apis/plumb.dev/v1/jointokens/j1' });
    const asked = api.seen.length;
    await terraform.call('CloseEphemeralResource', { typeName });
    await terraform.call('CloseEphemeralResource', { typeName, private: Buffer.from('/apis/plumb.dev/v1/zones/home') });
    expect(api.seen).toHaveLength(asked);
  });

  test('what cannot be is refused on its attribute, before anything is asked', async () => {
    for (const [type, config, attribute] of [
      ['plumb_join_token', {}, 'host'],
      ['plumb_join_token', { host: 'a', zone: 'b' }, 'zone'],
      ['plumb_join_token', { zone: 'b', uses: 1.5 }, 'uses'],
      ['plumb_service_account_token', { name: 'Not One' }, 'name'],
      ['plumb_service_account_token', { name: 'a', expiration_seconds: 5 }, 'expiration_seconds'],
    ] as const) {
      const { wrong, told, result } = await open(type, config);
      for (const diagnostics of [wrong, told]) {
        expect(diagnostics.map((one) => one.attribute?.steps[0]?.attributeName)).toEqual([attribute]);
      }
      expect(result).toBeNull();
    }
    expect(api.seen).toEqual([]);
  });
});
