/** Deletions: options in body and query, preconditions, what becomes of the object, and of whole collections. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { made, madeOffering, NETWORKS, network, OFFERINGS } from '../subjects.ts';

const merge = { 'content-type': 'application/merge-patch+json' };
const DELETE = { apiVersion: 'v1', kind: 'DeleteOptions' };
const remove = (body?: unknown, query = ''): Ask => ({
  method: 'DELETE',
  path: `${NETWORKS}/a${query}`,
  ...(body === undefined ? {} : { body }),
});
const free: Ask = { method: 'PATCH', path: `${NETWORKS}/a`, headers: merge, body: { metadata: { finalizers: null } } };
const read: Ask = { path: `${NETWORKS}/a` };

const BODIES: Record<string, unknown> = {
  none: undefined,
  empty: {},
  typed: DELETE,
  'with-group': { apiVersion: 'plumb.dev/v1', kind: 'DeleteOptions' },
  'other-kind': { apiVersion: 'v1', kind: 'Other' },
  'other-version': { apiVersion: 'x/v1', kind: 'DeleteOptions' },
  'dry-run': { ...DELETE, dryRun: ['All'] },
  'dry-run-small': { ...DELETE, dryRun: ['all'] },
  'dry-run-empty': { ...DELETE, dryRun: [] },
  'dry-run-text': { ...DELETE, dryRun: 'All' },
  'policy-background': { ...DELETE, propagationPolicy: 'Background' },
  'policy-foreground': { ...DELETE, propagationPolicy: 'Foreground' },
  'policy-orphan': { ...DELETE, propagationPolicy: 'Orphan' },
  'policy-bogus': { ...DELETE, propagationPolicy: 'Bogus' },
  'policy-empty': { ...DELETE, propagationPolicy: '' },
  'policy-null': { ...DELETE, propagationPolicy: null },
  'policy-and-orphan': { ...DELETE, propagationPolicy: 'Background', orphanDependents: false },
  'orphan-true': { ...DELETE, orphanDependents: true },
  'orphan-false': { ...DELETE, orphanDependents: false },
  'grace-0': { ...DELETE, gracePeriodSeconds: 0 },
  'grace-30': { ...DELETE, gracePeriodSeconds: 30 },
  'grace-negative': { ...DELETE, gracePeriodSeconds: -1 },
  'grace-text': { ...DELETE, gracePeriodSeconds: '1' },
  'uid-wrong': { ...DELETE, preconditions: { uid: '00000000-0000-0000-0000-000000000000' } },
  'uid-right': { ...DELETE, preconditions: { uid: '{a.uid}' } },
  'uid-empty': { ...DELETE, preconditions: { uid: '' } },
  'version-wrong': { ...DELETE, preconditions: { resourceVersion: '1' } },
  'version-right': { ...DELETE, preconditions: { resourceVersion: '{a.rv}' } },
  'preconditions-empty': { ...DELETE, preconditions: {} },
  'preconditions-null': { ...DELETE, preconditions: null },
  'preconditions-unknown': { ...DELETE, preconditions: { bogus: 1 } },
  unknown: { ...DELETE, bogus: 1 },
  nearly: { ...DELETE, DryRun: ['All'] },
};

const bodies: Case[] = Object.entries(BODIES).map(([name, body]) => ({
  name: `body-${name}`,
  steps: [made('a', {}, 'a'), remove(body), read],
}));

const life: Case[] = [
  {
    name: 'marked-and-freed',
    steps: [
      made('a', {}, 'a'),
      remove(),
      remove(),
      read,
      { method: 'PATCH', path: `${NETWORKS}/a`, headers: merge, body: { metadata: { labels: { late: 'yes' } } } },
      { method: 'PATCH', path: `${NETWORKS}/a`, headers: merge, body: { spec: { dns: { domain: 'a.b' } } } },
      {
        method: 'PATCH',
        path: `${NETWORKS}/a`,
        headers: merge,
        body: { metadata: { finalizers: ['example.com/late'] } },
      },
      { method: 'PATCH', path: `${NETWORKS}/a`, headers: merge, body: { metadata: { deletionTimestamp: null } } },
      { method: 'POST', path: NETWORKS, body: network('a') },
      free,
      read,
      remove(),
    ],
  },
  {
    name: 'freed-by-put',
    steps: [
      made('a', { finalizers: ['example.com/one', 'example.com/two'] }, 'a'),
      remove(),
      { method: 'PUT', path: `${NETWORKS}/a`, body: network('a', { finalizers: ['example.com/one'] }), fresh: true },
      { method: 'PUT', path: `${NETWORKS}/a`, body: network('a', { finalizers: [] }), fresh: true },
      read,
    ],
  },
  {
    name: 'dry-run-of-the-last-finalizer',
    steps: [made('a'), remove(), { ...free, path: `${NETWORKS}/a?dryRun=All` }, read, free, read],
  },
  {
    name: 'body-and-query',
    steps: [
      made('a'),
      remove({ ...DELETE, dryRun: ['All'] }, '?dryRun=x'),
      remove({ ...DELETE }, '?dryRun=All'),
      remove({ ...DELETE, propagationPolicy: 'Bogus' }, '?propagationPolicy=Background'),
      remove({ ...DELETE, propagationPolicy: 'Background' }, '?propagationPolicy=Bogus'),
      read,
      remove(undefined, '?preconditions.uid=x'),
    ],
  },
  {
    name: 'policies-and-finalizers',
    steps: ['Foreground', 'Background', 'Orphan'].flatMap((policy) => [
      made(policy.toLowerCase(), { finalizers: ['example.com/keep'] }),
      { method: 'DELETE', path: `${NETWORKS}/${policy.toLowerCase()}?propagationPolicy=${policy}&dryRun=All` },
    ]),
  },
  {
    name: 'of-the-estate',
    steps: [
      madeOffering({}, 'a'),
      { method: 'DELETE', path: `${OFFERINGS}/{id}?dryRun=All` },
      { method: 'DELETE', path: `${OFFERINGS}/{id}` },
      { method: 'PATCH', path: `${OFFERINGS}/{id}`, headers: merge, body: { metadata: { finalizers: [] } } },
      { path: `${OFFERINGS}/{id}` },
    ],
  },
];

const many = ['a', 'b', 'c'].map((name, i) => made(name, { labels: { odd: i % 2 ? 'no' : 'yes' } }));
const collections: Case[] = [
  ['all', ''],
  ['labels', '?labelSelector=odd%3Dyes'],
  ['labels-of-none', '?labelSelector=odd%3Dmaybe'],
  ['labels-that-are-none', '?labelSelector=odd%3B'],
  ['name', '?fieldSelector=metadata.name%3Da'],
  ['dry-run', '?dryRun=All'],
  ['dry-run-small', '?dryRun=all'],
  ['limit', '?limit=2'],
  ['policy', '?propagationPolicy=Bogus'],
  ['version', '?resourceVersion=0'],
  ['version-too-new', '?resourceVersion=99999999999999'],
  ['watch', '?watch=1'],
].map(([name, query]) => ({
  name: `collection-${name}`,
  steps: [...many, { method: 'DELETE', path: `${NETWORKS}${query}` }, { path: NETWORKS }],
}));

const collectionBodies: Case[] = [
  {
    name: 'collection-bodies',
    steps: [
      ...many,
      { method: 'DELETE', path: NETWORKS, body: { ...DELETE, dryRun: ['All'] } },
      { method: 'DELETE', path: NETWORKS, body: { ...DELETE, preconditions: { uid: 'x' } } },
      { method: 'DELETE', path: NETWORKS, body: { bogus: 1 } },
      { method: 'DELETE', path: '/apis/plumb.dev/v1/l3networks?labelSelector=of%3D{id}' },
      { method: 'DELETE', path: `${OFFERINGS}?labelSelector=of%3D{id}` },
      { path: NETWORKS },
    ],
  },
];

export const deletes: CorpusClass = {
  name: 'deletes',
  cases: [...bodies, ...life, ...collections, ...collectionBodies],
};
