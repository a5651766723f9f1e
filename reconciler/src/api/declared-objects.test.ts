/** Objects in a change set are judged when it is written: as writes of their own would be. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

type Declared = Record<string, unknown> & { kind: string; metadata: Record<string, unknown>; spec: unknown };
const SETS = `${V1}/namespaces/default/changesets`;
const PLURALS: Record<string, string> = {
  ...{ Zone: 'zones', InstanceOffering: 'instanceofferings', Image: 'images' },
  ...{ Instance: 'namespaces/default/instances', L2Network: 'namespaces/default/l2networks' },
  ...{ L3Network: 'namespaces/default/l3networks', Host: 'hosts' },
};

const API = { apiVersion: 'plumb.dev/v1' };
const set = (objects: unknown[]) => ({
  ...{ ...API, kind: 'ChangeSet' },
  metadata: { generateName: 'set-' },
  spec: { objects },
});
const image = (spec: object) => ({
  ...{ ...API, kind: 'Image', metadata: { name: 'tiny' } },
  spec: { url: 'https://example.com/a.qcow2', sha256: 'a'.repeat(64), format: 'qcow2', ...spec },
});
const l3 = (spec: object) => ({
  ...{ ...API, kind: 'L3Network', metadata: { name: 'lab' } },
  spec: { l2Network: 'lab', ipv4: { cidr: '10.0.0.0/24' }, ...spec },
});
const meta = (metadata: object) => ({ ...API, kind: 'Zone', metadata: { name: 'a', ...metadata }, spec: {} });

/** Objects that are wrong by themselves, whatever else there is. */
const wrong: [string, Declared][] = [
  ['a number out of range', manifests.offering('a', { cpus: 0, memoryMiB: -1 })],
  ['a field that is not known', manifests.zone('a', {}) && { ...manifests.zone('a'), spec: { colour: 'red' } }],
  ['a field inside that is not known', manifests.instance('a', { interfaces: [{ name: 'e', l3Netwrk: 'lab' }] })],
  ['what is missing', { ...API, kind: 'Instance', metadata: { name: 'a' }, spec: {} }],
  ['another type', manifests.instance('a', { interfaces: 'eth0', zone: 7, sshKeys: [7] })],
  ['a value that is none of the allowed', manifests.instance('a', { power: 'On' })],
  ['two of one name', manifests.instance('a', { interfaces: Array(2).fill({ name: 'e', l3Network: 'lab' }) })],
  ['a URL that is none', image({ url: 'gopher://x' })],
  ['a checksum that is none', image({ sha256: 'x' })],
  ['an address that is none', l3({ ipv4: { cidr: '999.0.0.0/99' } })],
  ['a domain that is none', l3({ dns: { domain: 'a..b' } })],
  ['an apiVersion of another', { ...manifests.zone('a'), apiVersion: 'plumb.dev/v2' }],
  ['the key of a label', meta({ labels: { '-x': 'y' } })],
  ['the value of a label', meta({ labels: { x: '-' } })],
  [
    'labels without end',
    meta({ labels: Object.fromEntries(Array.from({ length: 3_000 }, (_, i) => [`l${i}`, 'x'.repeat(40)])) }),
  ],
  ['the key of an annotation', meta({ annotations: { '-x': 'y' } })],
  ['annotations without end', meta({ annotations: { a: 'x'.repeat(262_145) } })],
];

const causes = (body: { details?: { causes?: { field: string; message: string }[] } }) =>
  (body.details?.causes ?? []).map(({ field, message }) => [field, message]);

test.each(wrong)('%s', async (_, object) => {
  const alone = await api.ask('POST', `${V1}/${PLURALS[object.kind]}?dryRun=All`, { body: object });
  // What says another version, or has fields that are not known, is not even read.
  const isRead = object.apiVersion === 'plumb.dev/v1' && !JSON.stringify(object).match(/colour|l3Netwrk/);
  expect(alone.status).toBe(isRead ? 422 : 400);
  const good = manifests.offering('good');
  for (const objects of [[object], [good, object]]) {
    const at = objects.length - 1;
    const { status, body } = await api.ask('POST', SETS, { body: set(objects) });
    expect([status, body.reason]).toEqual([422, 'Invalid']);
    const said = causes(body).map(([field]) => field!.slice(`spec.objects[${at}].`.length));
    // Of no field is said that rules were left out; and inside, a label is named by its key.
    const fields = causes(alone.body).flatMap(([field]) => (field === '<nil>' ? [] : field!));
    const unsaid = fields.filter((field) => !said.some((one) => one === field || one.startsWith(`${field}.`)));
    expect(unsaid).toEqual([]);
  }
  expect((await api.ask('GET', SETS)).body.items).toEqual([]);
});

test('all mistakes of all objects are told at once, with whose they are', async () => {
  const objects = [manifests.offering('a', { cpus: 0 }), manifests.instance('b', { power: 'On' })];
  const { status, body } = await api.ask('POST', SETS, { body: set(objects) });
  expect(status).toBe(422);
  expect(causes(body)).toEqual([
    ['spec.objects[0].spec.cpus', 'must be at least 1, but is 0 (InstanceOffering a)'],
    ['spec.objects[1].spec.power', expect.stringMatching(/On.* \(Instance default\/b\)$/)],
  ]);
});

test.each([
  ['the kind of nothing', [{ kind: 'Zoen', metadata: { name: 'a' }, spec: {} }], 'objects[0].kind'],
  ['a namespace', [{ kind: 'Namespace', metadata: { name: 'a' }, spec: {} }], 'objects[0].kind'],
  [
    'a change set',
    [{ kind: 'ChangeSet', metadata: { name: 'a' }, spec: set([manifests.zone('a')]).spec }],
    'objects[0].kind',
  ],
  [
    'one object twice',
    [manifests.instance('a'), { ...manifests.instance('a'), metadata: { name: 'a', namespace: 'default' } }],
    'objects[1]',
  ],
  [
    'more projects than a commit can hold',
    Array.from({ length: 100 }, (_, i) => ({
      ...manifests.instance(`i${i}`),
      metadata: { name: `i${i}`, namespace: `p${i}` },
    })),
    'objects',
  ],
])('%s is refused', async (_, objects, field) => {
  const { status, body } = await api.ask('POST', SETS, { body: set(objects) });
  expect([status, causes(body).map(([name]) => name)]).toEqual([422, [`spec.${field}`]]);
});

describe('what is not known is taken as in writes of their own', () => {
  const objects = () => [{ ...manifests.zone('a'), spec: { colour: 'red', description: 'kept' } }];

  test.each([
    ['Warn', 'spec.objects[0].spec.colour is not a known field'],
    ['Ignore', undefined],
  ])('%s', async (level, warning) => {
    const { status, body, headers } = await api.ask('POST', `${SETS}?fieldValidation=${level}`, {
      body: set(objects()),
    });
    expect(status).toBe(201);
    expect(body.spec.objects[0].spec).toEqual({ description: 'kept' });
    if (warning === undefined) expect(headers.warning).toBeUndefined();
    else expect(headers.warning).toContain(warning);
    await api.ask('DELETE', `${SETS}/${body.metadata.name}`);
  });
});

test('no refusal shows what the kind of the object hides', async () => {
  for (const object of [
    manifests.instance('a', { userData: ['hunter2'], power: 'On' }),
    manifests.instance('a', { userData: { x: 'hunter2' } }),
    image({ url: 'htps://user:hunter2@example.com/x' }),
    { ...manifests.zone('a'), metadata: { name: 'a', annotations: { x: { password: 'hunter2' } } } },
    { ...manifests.zone('a'), spec: { description: { userData: 'hunter2' } } },
  ]) {
    const { status, text } = await api.ask('POST', SETS, { body: set([object]) });
    expect(status).toBe(422);
    expect(text).not.toContain('hunter2');
  }
});

test('what is stored already stays writable, though it would not be admitted today', async () => {
  const made = await api.ask('POST', SETS, { body: set([manifests.zone('a')]) });
  const { name } = made.body.metadata;
  const key = `/objects/changesets/default/${name}`;
  const { value } = (await api.store.get(key))!;
  const old = JSON.parse(value);
  old.spec.objects[0].spec = { colour: 'red' };
  await api.store.commit({ preconditions: [], ops: [{ type: 'put', key, value: JSON.stringify(old) }] });
  const { status } = await api.ask('PATCH', `${SETS}/${name}`, {
    body: { metadata: { annotations: { seen: 'yes' } } },
    headers: { 'content-type': 'application/merge-patch+json' },
  });
  expect(status).toBe(200);
});
