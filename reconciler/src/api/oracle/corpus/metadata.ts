/** Metadata: every field with null, nothing and values of other types, in a create, a replacement and a merge patch. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { made, NETWORKS, network } from '../subjects.ts';

const VALUES: Record<string, unknown> = {
  null: null,
  empty: '',
  text: 'abc',
  number: 5,
  list: [],
  'list-of-text': ['example.com/x'],
  'list-of-numbers': [1],
  object: {},
  'object-of-text': { a: 'b' },
  'object-of-null': { a: null },
  'object-of-numbers': { a: 1 },
  boolean: true,
};

/** `name` stands in the path, and `namespace`, too: what differs from them is a class of its own. */
const FIELDS = [
  ...['generateName', 'labels', 'annotations', 'finalizers', 'ownerReferences', 'uid', 'resourceVersion', 'generation'],
  ...['creationTimestamp', 'deletionTimestamp', 'deletionGracePeriodSeconds', 'selfLink', 'managedFields'],
  ...['name', 'namespace', 'unknownField'],
];

const merge = { 'content-type': 'application/merge-patch+json' };

const cases: Case[] = FIELDS.map((field) => ({
  name: field,
  steps: [
    ...Object.entries(VALUES).map(
      ([word, value]): Ask => ({
        method: 'POST',
        path: `${NETWORKS}?fieldManager=${word}`,
        body: network(`post-${word}`, { [field]: value }),
      }),
    ),
    made(
      'stored',
      { labels: { was: 'there' }, annotations: { was: 'there' }, finalizers: ['example.com/was'] },
      'stored',
    ),
    ...Object.entries(VALUES).flatMap(([word, value]): Ask[] => [
      {
        method: 'PUT',
        path: `${NETWORKS}/stored?fieldManager=${word}&dryRun=All`,
        body: network('stored', { resourceVersion: '{stored.rv}', [field]: value }),
      },
      {
        method: 'PATCH',
        path: `${NETWORKS}/stored?fieldManager=${word}&dryRun=All`,
        headers: merge,
        body: { metadata: { [field]: value } },
      },
    ]),
  ],
}));

const whole: Case[] = [null, '', 5, [], true].map((metadata) => ({
  name: `metadata-${JSON.stringify(metadata).replaceAll(/\W/g, '') || typeof metadata}`,
  steps: [
    { method: 'POST', path: NETWORKS, body: { apiVersion: 'plumb.dev/v1', kind: 'L3Network', metadata, spec: {} } },
    made('stored'),
    {
      method: 'PUT',
      path: `${NETWORKS}/stored`,
      body: { apiVersion: 'plumb.dev/v1', kind: 'L3Network', metadata, spec: {} },
    },
    { method: 'PATCH', path: `${NETWORKS}/stored`, headers: merge, body: { metadata } },
    { method: 'PATCH', path: `${NETWORKS}/stored`, headers: merge, body: metadata },
  ],
}));

const keys: Case[] = ['labels', 'annotations', 'finalizers'].map((field) => ({
  name: `${field}-words`,
  steps: [
    ...[
      'a',
      'A',
      'a/b',
      'a.b/c',
      'A/b',
      '-a',
      'a-',
      'a b',
      '',
      '/a',
      'a/',
      'a/b/c',
      'é',
      'x'.repeat(63),
      'x'.repeat(64),
      `${'x'.repeat(253)}/a`,
      `${'x'.repeat(254)}/a`,
    ],
  ].map(
    (key, i): Ask => ({
      method: 'POST',
      path: `${NETWORKS}?dryRun=All`,
      body: network(`k${i}`, { [field]: field === 'finalizers' ? [key] : { [key]: 'v' } }),
    }),
  ),
}));

const labelValues: Case = {
  name: 'label-values',
  steps: ['a', 'A', '-a', 'a-', 'a b', '', 'a/b', 'é', 'x'.repeat(63), 'x'.repeat(64), 'true', '1.2'].map(
    (value, i): Ask => ({
      method: 'POST',
      path: `${NETWORKS}?dryRun=All`,
      body: network(`k${i}`, { labels: { key: value } }),
    }),
  ),
};

const UID = '0b8bd6cb-2b93-4d54-9a6e-3f1cfb5b3f4d';
const owner = { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: UID };
const OWNERS: Record<string, unknown[]> = {
  one: [owner],
  'with-flags': [{ ...owner, controller: true, blockOwnerDeletion: true }],
  'two-controllers': [
    { ...owner, controller: true },
    { ...owner, name: 'y', uid: `${UID.slice(0, -1)}e`, controller: true },
  ],
  twice: [owner, owner],
  'without-version': [{ ...owner, apiVersion: undefined }],
  'without-kind': [{ ...owner, kind: undefined }],
  'without-name': [{ ...owner, name: undefined }],
  'without-uid': [{ ...owner, uid: undefined }],
  'empty-uid': [{ ...owner, uid: '' }],
  'of-an-event': [{ ...owner, kind: 'Event' }],
  'bad-version': [{ ...owner, apiVersion: 'a/b/c' }],
  'unknown-field': [{ ...owner, namespace: 'x' }],
  'null-flags': [{ ...owner, controller: null, blockOwnerDeletion: null }],
  'text-flag': [{ ...owner, controller: 'yes' }],
  null: [null],
};
const owners: Case = {
  name: 'owners',
  steps: Object.entries(OWNERS).map(
    ([word, ownerReferences]): Ask => ({
      method: 'POST',
      path: `${NETWORKS}?dryRun=All`,
      body: network(word, { ownerReferences }),
    }),
  ),
};

const NAMES = [
  'a',
  'A',
  'a.b',
  'a-',
  '-a',
  '1',
  'a_b',
  'a b',
  'x'.repeat(63),
  'x'.repeat(64),
  'x'.repeat(254),
  'a/b',
  '..',
  'é',
];
const names: Case = {
  name: 'names',
  steps: NAMES.map((name): Ask => ({ method: 'POST', path: `${NETWORKS}?dryRun=All`, body: network(name) })),
};

export const metadata: CorpusClass = {
  name: 'metadata',
  cases: [...cases, ...whole, ...keys, labelValues, owners, names],
};
