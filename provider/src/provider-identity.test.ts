/** Identity of resources over the real protocol, and states that others wrote. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi } from './testing/fake-api.ts';
import { UNKNOWN } from './value/value.ts';

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

const network = { name: 'lab', project: 'shop', l2_network: 'l2', ipv4: { cidr: '10.0.0.0/24' } };
const lab = { name: 'lab', project: 'shop' };

test('every resource has an identity of its name, and of its project where it has one', async () => {
  const { identitySchemas } = await terraform.call('GetResourceIdentitySchemas', {});
  const schemas = identitySchemas as Record<string, { identityAttributes: object[] }>;
  const { resourceSchemas } = await terraform.call('GetProviderSchema', {});
  expect(Object.keys(schemas).toSorted()).toEqual(Object.keys(resourceSchemas as object).toSorted());
  expect(schemas.plumb_zone!.identityAttributes).toMatchObject([{ name: 'name', requiredForImport: true }]);
  expect(schemas.plumb_instance!.identityAttributes).toMatchObject([
    { name: 'name', requiredForImport: true },
    { name: 'project', optionalForImport: true, requiredForImport: false },
  ]);
});

test('plan, apply, read and import say the same identity', async () => {
  const planned = await terraform.plan('plumb_l3_network', network, null);
  const made = await terraform.apply('plumb_l3_network', network, null);
  const read = await terraform.read('plumb_l3_network', made.state!);
  const imported = await terraform.import('plumb_l3_network', 'shop/lab');
  for (const answer of [planned, made, read, imported]) expect(answer.identity).toEqual(lab);
});

test('what is not known yet has no identity, and what is gone has none', async () => {
  const planned = await terraform.plan('plumb_zone', { name: UNKNOWN }, null);
  expect(planned).toMatchObject({ errors: [], identity: null });
  const { state } = await terraform.apply('plumb_zone', { name: 'home' }, null);
  expect((await terraform.apply('plumb_zone', null, state)).identity).toBeNull();
});

test('an object is imported by its identity; the project default need not be said', async () => {
  await terraform.apply('plumb_l3_network', network, null);
  await terraform.apply('plumb_l3_network', { ...network, project: 'default' }, null);
  for (const [identity, project] of [
    [lab, 'shop'],
    [{ name: 'lab', project: null }, 'default'],
  ] as const) {
    const { state, errors } = await terraform.importBy('plumb_l3_network', identity);
    expect(errors).toEqual([]);
    expect(state).toMatchObject({ name: 'lab', project });
  }
  const nameless = await terraform.importBy('plumb_l3_network', { name: null, project: 'shop' });
  expect(nameless.errors[0]).toContain('The identity of a L3Network has its name');
});

test('a stored identity is read; one of a newer version, like a state, is refused with what to do', async () => {
  const rawIdentity = { json: Buffer.from('{"name":"lab","project":"shop"}') };
  const typeName = 'plumb_l3_network';
  const read = await terraform.call('UpgradeResourceIdentity', { typeName, version: 0, rawIdentity });
  expect(read.upgradedIdentity).not.toBeNull();
  const rawState = { json: Buffer.from('{"name":"lab"}') };
  for (const [rpc, request] of [
    ['UpgradeResourceIdentity', { typeName, version: 3, rawIdentity }],
    ['UpgradeResourceState', { typeName, version: 3, rawState }],
    [
      'MoveResourceState',
      {
        sourceProviderAddress: 'registry.terraform.io/plumb/plumb',
        sourceTypeName: typeName,
        sourceSchemaVersion: 3,
        sourceState: rawState,
        targetTypeName: typeName,
      },
    ],
  ] as const) {
    const { diagnostics } = await terraform.call(rpc, request);
    expect(diagnostics, rpc).toMatchObject([{ severity: 1 }]);
    expect(diagnostics![0]!.detail).toContain('A newer version of this provider has written it (form 3');
  }
});

test('a resource moves here from the type that it had before, with its private state and an identity', async () => {
  const reply = await terraform.call('MoveResourceState', {
    sourceProviderAddress: 'registry.opentofu.org/plumb/plumb',
    sourceTypeName: 'plumb_namespace',
    sourceState: { json: Buffer.from('{"name":"team","labels":{"a":"b"},"status":{"uid":"u"},"finalizers":null}') },
    sourcePrivate: Buffer.from('{"unready":true}'),
    targetTypeName: 'plumb_project',
  });
  expect(reply.diagnostics).toEqual([]);
  expect(Buffer.from(reply.targetPrivate as Uint8Array).toString()).toBe('{"unready":true}');
  expect(reply.targetIdentity).not.toBeNull();
});
