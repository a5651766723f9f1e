/** Bodies of a megabyte with nothing but mistakes: what they cost, and what is said of them. */
import { kinds, PlumbError, realAmbient } from '@plumb/schemas';
import { defaultServerLimits as limits } from '@plumb/schemas/limits/server.ts';
import { describe, expect, test } from 'vitest';
import { admitNew } from './admission.ts';
import { parseJson } from './body/json.ts';
import { type MetaStatus, statusOf } from './failure.ts';
import { resourceOfKind } from './resource.ts';

const BYTES = 1_000_000;

/** As many parts as there is room for. */
function filled(part: (i: number) => string): string {
  const parts: string[] = [];
  for (let i = 0, length = 0; length < BYTES; i++) length += parts[parts.push(part(i)) - 1]!.length + 1;
  return parts.join(',');
}

const body = (spec: string, metadata = '', kind = 'Zone') =>
  `{"apiVersion":"plumb.dev/v1","kind":"${kind}","metadata":{"name":"a"${metadata}},"spec":${spec}}`;
const fields = (value: string, name = 'k') => `{${filled((i) => `"${name}${i}":${value}`)}}`;
const list = (item: string) => `[${filled(() => item)}]`;

const shapes: [what: string, kind: string, text: () => string][] = [
  ['unknown fields', 'Zone', () => body(fields('1'))],
  ['unknown fields of long names', 'Zone', () => body(fields('1', 'k'.repeat(1_000)))],
  ['unknown fields that are nearly known', 'Zone', () => body(fields('1', 'descriptio'))],
  ['unknown fields of metadata', 'Zone', () => `{"metadata":${fields('1')},"spec":{}}`],
  ['unknown fields at the top', 'Zone', () => `{"metadata":{"name":"a"},${fields('1').slice(1)}`],
  ['labels with wrong keys', 'Zone', () => body('{}', `,"labels":${fields('"x"', '-')}`)],
  ['labels with wrong values', 'Zone', () => body('{}', `,"labels":${fields('"-"')}`)],
  ['annotations of wrong types', 'Zone', () => body('{}', `,"annotations":${fields('1')}`)],
  ['finalizers without end', 'Zone', () => body('{}', `,"finalizers":${list('"-"')}`)],
  ['owner references without fields', 'Zone', () => body('{}', `,"ownerReferences":${list('{}')}`)],
  ['owner references of wrong types', 'Zone', () => body('{}', `,"ownerReferences":${list('{"apiVersion":1,"x":2}')}`)],
  ['interfaces without end', 'Instance', () => body(`{"interfaces":${list('{"name":"e","l3Network":1}')}}`)],
  ['addresses without end', 'Instance', () => body(`{"interfaces":[{"name":"e","addresses":${list('"x"')}}]}`)],
  ['objects of a change set without fields', 'ChangeSet', () => body(`{"objects":${list('{}')}}`)],
  [
    'unknown fields of an object in a change set',
    'ChangeSet',
    () => body(`{"objects":[{"kind":"Zone","metadata":{"name":"a"},"spec":${fields('1')}}]}`),
  ],
  [
    'labels of an object in a change set',
    'ChangeSet',
    () => body(`{"objects":[{"kind":"Zone","metadata":{"name":"a","labels":${fields('"x"', '-')}},"spec":{}}]}`),
  ],
  [
    'interfaces of an object in a change set',
    'ChangeSet',
    () =>
      body(
        `{"objects":[{"kind":"Instance","metadata":{"name":"a"},"spec":{"interfaces":${list('{"name":"e","l3Network":1}')}}}]}`,
      ),
  ],
  ['a list in place of the spec', 'Instance', () => body(list('1'))],
  ['lists in place of a text', 'Zone', () => body(`{"description":${list('{"a":[1,"x"]}')}}`)],
  ['lists that lie deep', 'Zone', () => body(`{"description":${list('['.repeat(90) + ']'.repeat(90))}}`)],
  ['fields that stand twice', 'Zone', () => body(`{${filled(() => '"a":1')}}`)],
  ['fields that are null', 'Zone', () => body(fields('null'))],
  ['a long text', 'Zone', () => body(`{"description":"${'x"'.repeat(BYTES / 3).replaceAll('"', '\\"')}"}`)],
];

function admitted(kindName: string, text: string): MetaStatus | undefined {
  const kind = kinds.find(({ kind }) => kind === kindName)!;
  const resource = resourceOfKind(kind, undefined as never);
  const { value, duplicates } = parseJson(Buffer.from(text), limits.jsonDepth);
  const namespace = kind.scope === 'Namespaced' ? 'default' : undefined;
  try {
    admitNew(resource, value, namespace, { level: 'Strict', limits }, realAmbient());
    return duplicates.count > 0
      ? statusOf(new PlumbError({ reason: 'BadRequest', message: 'twice', retry: 'terminal' }))
      : undefined;
  } catch (error) {
    return statusOf(error as PlumbError);
  }
}

/** The least of what both took in turn; the machine may be busy, so it is tried until the ratio is reached, up to 40 times. */
function ratioOf(work: () => unknown, measure: () => unknown, wanted: number): number {
  const least = { work: Number.POSITIVE_INFINITY, measure: Number.POSITIVE_INFINITY };
  const took = (run: () => unknown) => {
    const before = performance.now();
    run();
    return performance.now() - before;
  };
  for (let round = 0; round < 40; round++) {
    least.measure = Math.min(least.measure, took(measure));
    least.work = Math.min(least.work, took(work));
    if (round > 0 && least.work <= wanted * least.measure) break;
  }
  return least.work / least.measure;
}

/** The goal, and what fails: a machine that is busy doubles it now and then, and what is not linear is a hundred times more. */
const GOAL = 4;
const FAILS = 2 * GOAL;

describe(`a megabyte of mistakes costs about as much as JSON.parse, at most ${GOAL} times where nothing else runs`, () => {
  test.each(shapes)('%s', (what, kind, make) => {
    const text = make();
    const status = admitted(kind, text);
    if (!['fields that are null'].includes(what)) {
      expect(status?.code).toBeOneOf([400, 422]);
      // The answer does not grow with the body.
      expect(JSON.stringify(status).length).toBeLessThan(100_000);
    }
    expect(
      ratioOf(
        () => admitted(kind, text),
        () => JSON.parse(text),
        GOAL,
      ),
    ).toBeLessThanOrEqual(FAILS);
  });
});

test('all are found at once up to a hundred, the others are counted', () => {
  const many = Object.fromEntries(Array.from({ length: 8_000 }, (_, i) => [`k${i}`, i]));
  const status = admitted('Zone', body(JSON.stringify(many)))!;
  expect(status.message).toContain('unknown field "spec.k0"');
  expect(status.message).toMatch(/unknown field "spec.k99", and 7,900 more$/);
});

test('a hundred mistakes are all told', () => {
  const labels = JSON.stringify(Object.fromEntries(Array.from({ length: 100 }, (_, i) => [`-k${i}`, 'x'])));
  const status = admitted('Zone', body('{}', `,"labels":${labels}`))!;
  expect(status.details!.causes).toHaveLength(100);
});

test.each([
  ['userData in a list', { spec: { userData: ['hunter2'] } }],
  ['userData of an object', { spec: { userData: { hunter2: 'hunter2' } } }],
  ['userData of a number', { spec: { userData: 74_827_682 } }],
  ['a list of specs', { spec: [{ userData: 'hunter2' }] }],
  ['a text in place of a spec', { spec: 'userData: hunter2' }],
  ['an object of objects', { spec: { objects: { userData: 'hunter2' } } }],
  ['a misspelt name', { spec: { userdata: 'hunter2' } }],
  ['a list in place of power', { spec: { power: ['hunter2'] } }],
  ['an object in place of power', { spec: { power: { userData: 'hunter2' } } }],
  ['metadata in a list', { metadata: ['hunter2'], spec: {} }],
  ['annotations in a list', { metadata: { annotations: ['hunter2'] }, spec: {} }],
  ['an annotation that is an object', { metadata: { annotations: { a: { password: 'hunter2' } } }, spec: {} }],
  ['the password of a URL', { spec: { url: 'htps://user:hunter2@example.com/x', sha256: 'x', format: 'qcow2' } }],
  ['the cut password of a URL', { spec: { url: `htps://user:${'hunter2'.repeat(40)}@example.com/x` } }],
])('no mistake shows a secret: %s', (_, object) => {
  for (const kind of ['Instance', 'ChangeSet', 'Image', 'Zone']) {
    const status = admitted(kind, JSON.stringify({ metadata: { name: 'a' }, ...object }));
    expect(status?.code).toBeOneOf([400, 422]);
    expect(JSON.stringify(status)).not.toContain('hunter2');
    expect(JSON.stringify(status)).not.toContain('74827682');
  }
});
