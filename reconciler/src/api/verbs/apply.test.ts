import type { ManagedFieldsEntry } from '@plumb/schemas/apply/managed-fields.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from '../testing/rig.ts';

let rig: ApiRig;
beforeAll(async () => {
  rig = await startApiRig();
});
afterAll(() => rig.stop());

const APPLY = { 'content-type': 'application/apply-patch+yaml' };

function apply(path: string, body: unknown, query: string) {
  return rig.ask('PATCH', `${V1}/${path}?${query}`, { body, headers: APPLY });
}

function zone(name: string, spec: Record<string, unknown> = {}, more: Record<string, unknown> = {}) {
  return { ...manifests.zone(name, more), spec };
}

test('a declaration creates what is not there, and says who owns it', async () => {
  const made = await apply('zones/one', zone('one', { description: 'a' }), 'fieldManager=kubectl');
  expect(made.status).toBe(201);
  expect(made.body.metadata.managedFields).toEqual([
    {
      manager: 'kubectl',
      operation: 'Apply',
      apiVersion: 'plumb.dev/v1',
      time: made.body.metadata.creationTimestamp,
      fieldsType: 'FieldsV1',
      fieldsV1: { 'f:spec': { 'f:description': {} } },
    },
  ]);
  const again = await apply('zones/one', zone('one', { description: 'a' }), 'fieldManager=kubectl');
  expect(again.status).toBe(200);
  expect(again.body).toEqual(made.body);
});

test('what another owns is refused with the text of kubectl, and taken by force', async () => {
  await apply('zones/two', zone('two', { description: 'a' }), 'fieldManager=one');
  const refused = await apply('zones/two', zone('two', { description: 'b' }), 'fieldManager=two');
  expect(refused.status).toBe(409);
  expect(refused.body).toEqual({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Apply failed with 1 conflict: conflict with "one": .spec.description',
    reason: 'Conflict',
    details: {
      causes: [{ reason: 'FieldManagerConflict', message: 'conflict with "one"', field: '.spec.description' }],
    },
    code: 409,
  });
  const taken = await apply('zones/two', zone('two', { description: 'b' }), 'fieldManager=two&force=true');
  expect(taken.body.spec).toEqual({ description: 'b' });
  expect(taken.body.metadata.managedFields.map(({ manager }: { manager: string }) => manager)).toEqual(['two']);
});

test('a write that is no apply owns what it changes, by the name of the client', async () => {
  const made = await rig.ask('POST', `${V1}/zones`, {
    body: zone('three', { description: 'a' }, { labels: { a: '1' } }),
    headers: { 'user-agent': 'curl/8.1 (linux)' },
  });
  expect(made.body.metadata.managedFields).toMatchObject([
    {
      manager: 'curl',
      operation: 'Update',
      fieldsV1: {
        'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } },
        'f:spec': { '.': {}, 'f:description': {} },
      },
    },
  ]);
  const conflict = await apply('zones/three', zone('three', { description: 'b' }), 'fieldManager=two');
  expect(conflict.body.message).toBe(
    'Apply failed with 1 conflict: conflict with "curl" using plumb.dev/v1: .spec.description',
  );
  await rig.ask('PATCH', `${V1}/zones/three?fieldManager=edit`, {
    body: { spec: { description: 'c' } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  const { body } = await rig.ask('GET', `${V1}/zones/three`);
  expect((body.metadata.managedFields as ManagedFieldsEntry[]).map((one) => [one.manager, one.fieldsV1])).toEqual([
    ['curl', { 'f:metadata': { 'f:labels': { '.': {}, 'f:a': {} } }, 'f:spec': {} }],
    ['edit', { 'f:spec': { 'f:description': {} } }],
  ]);
});

test('what a manager no longer declares goes, unless another declares it', async () => {
  const labels = { labels: { a: '1', b: '2' } };
  await apply('zones/four', zone('four', { description: 'a' }, labels), 'fieldManager=one');
  await apply('zones/four', zone('four', {}, { labels: { b: '2' } }), 'fieldManager=two');
  const left = await apply('zones/four', zone('four'), 'fieldManager=one');
  expect(left.body.spec).toEqual({});
  expect(left.body.metadata.labels).toEqual({ b: '2' });
  expect(left.body.metadata.finalizers).toEqual(['plumb.dev/zone']);
});

test('a declaration of what must not be there yet is refused when it is, and changes nothing', async () => {
  const headers = { ...APPLY, 'if-none-match': '*' };
  const ask = (description: string) =>
    rig.ask('PATCH', `${V1}/zones/new?fieldManager=terraform&force=true`, {
      body: zone('new', { description }),
      headers,
    });
  expect((await ask('a')).status).toBe(201);
  expect(await ask('b')).toMatchObject({ status: 409, body: { reason: 'AlreadyExists' } });
  expect((await rig.ask('GET', `${V1}/zones/new`)).body.spec).toEqual({ description: 'a' });
});

test.each<[string, object, string, number, string]>([
  ['no manager', zone('x'), '', 422, 'fieldManager: Required value: is required for apply patch'],
  [
    'another kind',
    { ...zone('x'), kind: 'Host' },
    'fieldManager=a',
    400,
    'invalid object type: plumb.dev/v1, Kind=Host',
  ],
  ['no kind', {}, 'fieldManager=a', 400, 'invalid object type: /, Kind='],
  [
    'a record of owners',
    zone('x', {}, { managedFields: [] }),
    'fieldManager=a',
    400,
    'metadata.managedFields must be nil',
  ],
  [
    'another name',
    zone('y'),
    'fieldManager=a',
    400,
    'the name of the object (y) does not match the name on the URL (x)',
  ],
  ['a field of no schema', zone('x', { what: 1 }), 'fieldManager=a', 422, '.spec.what: field not declared in schema'],
  ['a wrong type', zone('x', { description: 1 }), 'fieldManager=a', 422, '.spec.description: expected string'],
])('%s is refused, and nothing is written', async (_what, body, query, status, message) => {
  const answer = await apply('zones/x', body, query);
  expect([answer.status, answer.body.message]).toEqual([status, expect.stringContaining(message)]);
  expect((await rig.ask('GET', `${V1}/zones/x`)).status).toBe(404);
});

test('a dry run of an apply says what would be, and writes nothing', async () => {
  const dry = await apply('zones/dry', zone('dry', { description: 'a' }), 'fieldManager=a&dryRun=All');
  expect(dry).toMatchObject({ status: 201, body: { spec: { description: 'a' } } });
  expect((await rig.ask('GET', `${V1}/zones/dry`)).status).toBe(404);
});

test('status is declared at its own place, and belongs to a manager of its own', async () => {
  await apply('zones/status', zone('status', { description: 'a' }), 'fieldManager=a');
  const declared = { ...zone('status', { description: 'b' }), status: { observedGeneration: 7 } };
  const answer = await apply('zones/status/status', declared, 'fieldManager=a');
  expect(answer.body).toMatchObject({ spec: { description: 'a' }, status: { observedGeneration: 7 } });
  expect(answer.body.metadata.managedFields).toMatchObject([
    { manager: 'a', fieldsV1: { 'f:spec': { 'f:description': {} } } },
    { manager: 'a', subresource: 'status', fieldsV1: { 'f:status': { 'f:observedGeneration': {} } } },
  ]);
});

test('a client resets the record by sending none of it', async () => {
  await apply('zones/reset', zone('reset', { description: 'a' }), 'fieldManager=a');
  const sent = { ...zone('reset', { description: 'a' }), metadata: { name: 'reset', managedFields: [{}] } };
  const answer = await rig.replace(`${V1}/zones/reset?fieldManager=b`, sent);
  expect(answer.body.metadata).not.toHaveProperty('managedFields');
  const again = await apply('zones/reset', zone('reset', { description: 'b' }), 'fieldManager=a');
  expect(again.body.message).toContain('conflict with "before-first-apply" using plumb.dev/v1');
});

test('a declaration may be YAML, with comments and anchors', async () => {
  const body =
    '# the zone\napiVersion: plumb.dev/v1\nkind: Zone\nmetadata:\n  name: &n yaml\nspec:\n  description: *n\n';
  expect(await apply('zones/yaml', body, 'fieldManager=a')).toMatchObject({
    status: 201,
    body: { spec: { description: 'yaml' } },
  });
  const broken = await apply('zones/broken', 'kind: [', 'fieldManager=a');
  expect(broken).toMatchObject({ status: 400, body: { reason: 'BadRequest' } });
});
