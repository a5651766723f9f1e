/** Patches: merge patches and JSON patches, on the object and on its status. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { made, NETWORKS } from '../subjects.ts';

const TYPES = { merge: 'application/merge-patch+json', json: 'application/json-patch+json' };
const patch = (type: keyof typeof TYPES, body: unknown, path = `${NETWORKS}/a`): Ask => ({
  method: 'PATCH',
  path,
  headers: { 'content-type': TYPES[type] },
  body,
});
const ready = made('a', { labels: { x: '1' } });

const OPERATIONS: Record<string, unknown> = {
  add: [{ op: 'add', path: '/metadata/labels/y', value: '2' }],
  'add-deep': [{ op: 'add', path: '/metadata/annotations/y', value: '2' }],
  replace: [{ op: 'replace', path: '/metadata/labels/x', value: '2' }],
  'replace-missing': [{ op: 'replace', path: '/metadata/labels/none', value: '2' }],
  remove: [{ op: 'remove', path: '/metadata/labels/x' }],
  'remove-missing': [{ op: 'remove', path: '/metadata/labels/none' }],
  test: [{ op: 'test', path: '/metadata/labels/x', value: '1' }],
  'test-fails': [{ op: 'test', path: '/metadata/labels/x', value: '2' }],
  'test-missing': [{ op: 'test', path: '/metadata/labels/none', value: '2' }],
  copy: [{ op: 'copy', from: '/metadata/labels/x', path: '/metadata/labels/z' }],
  'copy-missing': [{ op: 'copy', from: '/metadata/labels/none', path: '/metadata/labels/z' }],
  move: [{ op: 'move', from: '/metadata/labels/x', path: '/metadata/labels/z' }],
  'unknown-op': [{ op: 'bogus', path: '/metadata/labels/x' }],
  'no-op': [{ path: '/metadata/labels/x', value: '1' }],
  'no-path': [{ op: 'remove' }],
  'no-value': [{ op: 'add', path: '/metadata/labels/x' }],
  'bad-path': [{ op: 'add', path: 'metadata', value: {} }],
  'root-path': [{ op: 'replace', path: '', value: {} }],
  empty: [],
  object: { op: 'add', path: '/metadata/labels/x', value: '1' },
  text: 'abc',
  null: null,
  list: [[]],
  'unknown-field': [{ op: 'add', path: '/spec/bogus', value: 1 }],
  'wrong-type': [{ op: 'add', path: '/spec/l2Network', value: 1 }],
  name: [{ op: 'replace', path: '/metadata/name', value: 'b' }],
  kind: [{ op: 'replace', path: '/kind', value: 'Other' }],
};

const MERGES: Record<string, unknown> = {
  nothing: {},
  label: { metadata: { labels: { y: '2' } } },
  'remove-label': { metadata: { labels: { x: null } } },
  'remove-labels': { metadata: { labels: null } },
  'remove-spec': { spec: null },
  'spec-is-text': { spec: 'abc' },
  'remove-required': { spec: { l2Network: null } },
  'wrong-type': { spec: { l2Network: 5 } },
  name: { metadata: { name: 'b' } },
  namespace: { metadata: { namespace: 'b' } },
  kind: { kind: 'Other' },
  version: { apiVersion: 'plumb.dev/v9' },
  status: { status: { observedGeneration: 5 } },
  list: [],
  text: 'abc',
  null: null,
  'null-in-list': { spec: { dns: { servers: [null] } } },
  'null-deep': { spec: { dns: { domain: null } } },
};

const cases: Case[] = [
  ...Object.entries(OPERATIONS).map(([name, body]) => ({ name: `json-${name}`, steps: [ready, patch('json', body)] })),
  ...Object.entries(MERGES).map(([name, body]) => ({ name: `merge-${name}`, steps: [ready, patch('merge', body)] })),
  {
    name: 'as-the-wrong-type',
    steps: [
      ready,
      patch('json', {}),
      patch('merge', [{ op: 'test', path: '/kind', value: 'x' }]),
      patch('json', '{'),
      patch('merge', '{'),
    ],
  },
  {
    name: 'status',
    steps: [
      ready,
      { path: `${NETWORKS}/a/status` },
      patch('merge', { status: { observedGeneration: 1 } }, `${NETWORKS}/a/status`),
      patch(
        'merge',
        { status: { observedGeneration: 1 }, spec: { l2Network: 'no' }, metadata: { labels: { no: 'no' } } },
        `${NETWORKS}/a/status`,
      ),
      patch('json', [{ op: 'replace', path: '/status/observedGeneration', value: 2 }], `${NETWORKS}/a/status`),
      patch('merge', { status: { bogus: 2 } }, `${NETWORKS}/a/status?fieldValidation=Strict`),
      patch('merge', { status: { observedGeneration: 'x' } }, `${NETWORKS}/a/status`),
      patch('merge', { status: null }, `${NETWORKS}/a/status`),
      patch('merge', { metadata: { annotations: { a: 'b' }, finalizers: ['x.io/y'] } }, `${NETWORKS}/a/status`),
      {
        method: 'PUT',
        path: `${NETWORKS}/a/status`,
        body: {
          apiVersion: 'plumb.dev/v1',
          kind: 'L3Network',
          metadata: { name: 'a' },
          status: { observedGeneration: 9 },
        },
        fresh: true,
      },
      {
        method: 'PUT',
        path: `${NETWORKS}/a/status`,
        body: {
          apiVersion: 'plumb.dev/v1',
          kind: 'L3Network',
          metadata: { name: 'a', resourceVersion: '1' },
          status: { observedGeneration: 9 },
        },
      },
      { method: 'PUT', path: `${NETWORKS}/a/status`, body: { metadata: { name: 'a' }, status: {} }, fresh: true },
      { method: 'POST', path: `${NETWORKS}/a/status`, body: {} },
      { method: 'DELETE', path: `${NETWORKS}/a/status` },
      { path: `${NETWORKS}/a` },
    ],
  },
];

export const patches: CorpusClass = { name: 'patches', cases };
