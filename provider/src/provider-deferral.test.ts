/** A provider block that is known only after apply: what needs the server is put off, where the client offers that. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { kindOfType } from './resources.ts';
import { Core } from './testing/core.ts';
import { decodeObject, encodeObject } from './value/msgpack.ts';
import { UNKNOWN } from './value/value.ts';
import type { DynamicValue } from './wire/messages.ts';

let core: Core;

beforeEach(async () => {
  core = await Core.start({ HOME: '/nowhere' });
});
afterEach(() => core.close());

const { resource, dataSource } = kindOfType('plumb_zone');
const typeName = 'plumb_zone';
const currentState = { msgpack: encodeObject({ name: 'home', status: { uid: 'u' } }, resource) };
const config = { msgpack: encodeObject({ name: 'home' }, dataSource) };

test('a client that can wait gets what is known, and that the rest is put off', async () => {
  const terraform = core.connect();
  await terraform.configure({ endpoint: UNKNOWN });
  const clientCapabilities = { deferralAllowed: true };
  const read = await terraform.call('ReadResource', { typeName, currentState, clientCapabilities });
  expect(read).toMatchObject({ deferred: { reason: 2 }, diagnostics: [] });
  expect(decodeObject((read.newState as DynamicValue).msgpack!, resource)).toMatchObject({ name: 'home' });
  const data = await terraform.call('ReadDataSource', { typeName, config, clientCapabilities });
  expect(data).toMatchObject({ deferred: { reason: 2 }, diagnostics: [] });
  const state = decodeObject((data.state as DynamicValue).msgpack!, dataSource);
  expect(state).toMatchObject({ name: 'home', description: UNKNOWN, status: UNKNOWN });
});

test('another client gets an error that says what is not known', async () => {
  const terraform = core.connect();
  await terraform.configure({ endpoint: UNKNOWN });
  for (const [rpc, request] of [
    ['ReadResource', { typeName, currentState }],
    ['ReadDataSource', { typeName, config, clientCapabilities: { writeOnlyAttributesAllowed: true } }],
  ] as const) {
    const { deferred, diagnostics } = await terraform.call(rpc, request);
    expect(deferred, rpc).toBeNull();
    expect(diagnostics![0]!.detail).toContain('endpoint of the provider block will be known only after apply');
  }
});
