/** Creates and replacements: what the body must say, and what of it is held against the path and the store. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { GROUP, made, NETWORKS, network, OFFERINGS, offering } from '../subjects.ts';

const WORDS: Record<string, unknown> = { absent: undefined, null: null, empty: '', other: 'Other', number: 1 };
const VERSIONS: Record<string, unknown> = {
  ...WORDS,
  'other-version': 'plumb.dev/v2',
  'other-group': 'other.dev/v1',
  core: 'v1',
  bad: 'a/b/c',
};

const put = (body: unknown, query = ''): Ask => ({ method: 'PUT', path: `${NETWORKS}/a${query}`, body, fresh: true });
/** As it is, with no resourceVersion where it has none. */
const blind = (body: unknown): Ask => ({ method: 'PUT', path: `${NETWORKS}/a`, body });
const post = (body: unknown): Ask => ({ method: 'POST', path: `${NETWORKS}?dryRun=All`, body });
const both = (change: object): Ask[] => [
  post({ ...network('new'), ...change }),
  put({ ...network('a'), ...change }, '?dryRun=All'),
  {
    method: 'PATCH',
    path: `${NETWORKS}/a?dryRun=All`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: change,
  },
];

const typed: Case[] = [
  { name: 'api-version', steps: [made('a'), ...Object.values(VERSIONS).flatMap((apiVersion) => both({ apiVersion }))] },
  {
    name: 'kind',
    steps: [made('a'), ...Object.values({ ...WORDS, list: 'L3NetworkList' }).flatMap((kind) => both({ kind }))],
  },
  { name: 'neither', steps: [made('a'), ...both({ apiVersion: undefined, kind: undefined })] },
];

const BODIES = [
  '',
  '{',
  'null',
  '[]',
  '5',
  '"a"',
  '{}',
  '{"a":',
  'apiVersion: v1',
  '{} {}',
  '\u0000',
  '[{}]',
  'true',
  '{"metadata":{"name":"a"}}',
];
const bodies: Case[] = ['POST', 'PUT', 'PATCH', 'DELETE'].map((method) => ({
  name: `bodies-${method.toLowerCase()}`,
  steps: [
    made('a'),
    ...BODIES.map(
      (body): Ask => ({
        method,
        path: `${method === 'POST' ? NETWORKS : `${NETWORKS}/a`}?dryRun=All`,
        body,
        ...(method === 'PATCH' ? { headers: { 'content-type': 'application/merge-patch+json' } } : {}),
      }),
    ),
  ],
}));

const versions: Case[] = [
  {
    name: 'put-versions',
    steps: [
      made('a', {}, 'a'),
      blind(network('a', { labels: { n: '1' } })),
      blind(network('a', { labels: { n: '2' }, resourceVersion: '' })),
      put(network('a', { labels: { n: '3' }, resourceVersion: '0' })),
      put(network('a', { labels: { n: '4' }, resourceVersion: '1' })),
      put(network('a', { labels: { n: '5' }, resourceVersion: '{a.rv}' })),
      put(network('a', { labels: { n: '6' }, resourceVersion: 'abc' })),
      { path: `${NETWORKS}/a`, save: 'now' },
      put(network('a', { labels: { n: '7' }, resourceVersion: '{now.rv}' })),
      put(network('a', { labels: { n: '8' }, resourceVersion: '{now.rv}' })),
      { path: `${NETWORKS}/a`, save: 'now' },
      put(network('a', { labels: { n: '7' }, resourceVersion: '{now.rv}', uid: '{now.uid}' })),
    ],
  },
  {
    name: 'put-uids',
    steps: [
      made('a', {}, 'a'),
      put(network('a', { uid: '{a.uid}' })),
      put(network('a', { uid: '00000000-0000-0000-0000-000000000000' })),
      put(network('a', { uid: 'abc' })),
      put(network('a', { uid: '{a.uid}', resourceVersion: '{a.rv}' })),
    ],
  },
  {
    name: 'patch-versions',
    steps: [
      made('a', {}, 'a'),
      ...['1', '{a.rv}', 'abc', '0', ''].map(
        (resourceVersion): Ask => ({
          method: 'PATCH',
          path: `${NETWORKS}/a`,
          headers: { 'content-type': 'application/merge-patch+json' },
          body: { metadata: { resourceVersion, labels: { n: `x${resourceVersion.length}` } } },
        }),
      ),
      ...['00000000-0000-0000-0000-000000000000', '{a.uid}', ''].map(
        (uid): Ask => ({
          method: 'PATCH',
          path: `${NETWORKS}/a`,
          headers: { 'content-type': 'application/merge-patch+json' },
          body: { metadata: { uid } },
        }),
      ),
    ],
  },
  {
    name: 'nothing-changes',
    steps: [
      made('a', { labels: { a: 'b' } }, 'a'),
      put(network('a', { labels: { a: 'b' } })),
      put(network('a', { labels: { a: 'b' } })),
      put(network('a', { labels: {} })),
      put(network('a')),
    ],
  },
  {
    name: 'generation',
    steps: [
      made('a'),
      put(network('a', { labels: { a: 'b' } })),
      put(network('a', { generation: 9 }, { dns: { domain: 'a.b' } })),
      put({ ...(network('a') as object), status: { observedGeneration: 5 } }),
      put(network('a', { creationTimestamp: '2001-01-01T00:00:00Z', deletionTimestamp: '2001-01-01T00:00:00Z' })),
    ],
  },
];

const places: Case[] = [
  {
    name: 'names-and-paths',
    steps: [
      made('a'),
      put(network('b')),
      put(network('')),
      put({ ...network('a'), metadata: {} }),
      put(network('a', { namespace: 'other' })),
      put(network('a', { namespace: '{ns}' })),
      put(network('a', { namespace: '' })),
      post(network('n', { namespace: 'other' })),
      post(network('n', { namespace: '{ns}' })),
      post({ ...network('n'), metadata: {} }),
      { method: 'POST', path: `${NETWORKS}/a`, body: network('a') },
      { method: 'POST', path: `${GROUP}/l3networks`, body: network('n', { namespace: '{ns}' }) },
      { method: 'PUT', path: `${GROUP}/l3networks/a`, body: network('a', { namespace: '{ns}' }) },
      { method: 'PUT', path: NETWORKS, body: network('a') },
      { method: 'PATCH', path: NETWORKS, body: {}, headers: { 'content-type': 'application/merge-patch+json' } },
      { method: 'POST', path: OFFERINGS, body: offering({ namespace: 'other' }) },
      { method: 'PUT', path: `${OFFERINGS}/{id}`, body: offering({ namespace: 'other' }), fresh: true },
      { method: 'POST', path: `${GROUP}/namespaces/{ns}/instanceofferings`, body: offering({ name: '{id}-b' }) },
      { path: `${GROUP}/namespaces/{ns}/instanceofferings` },
    ],
  },
  {
    name: 'not-there',
    steps: [
      { path: `${NETWORKS}/none` },
      blind(network('a')),
      blind(network('a', { resourceVersion: '1' })),
      blind(network('a', { uid: '00000000-0000-0000-0000-000000000000' })),
      {
        method: 'PATCH',
        path: `${NETWORKS}/none`,
        body: {},
        headers: { 'content-type': 'application/merge-patch+json' },
      },
      { method: 'DELETE', path: `${NETWORKS}/none` },
      { path: `${OFFERINGS}/none` },
      { method: 'DELETE', path: `${OFFERINGS}/none` },
      { path: `${NETWORKS}/none/status` },
      { path: `${NETWORKS}/none/scale` },
      { method: 'POST', path: '/apis/plumb.dev/v1/namespaces/{id}-none/l3networks', body: network('a') },
      { path: '/apis/plumb.dev/v1/namespaces/{id}-none/l3networks/a' },
      { path: `${NETWORKS}/Upper_Case` },
      { path: `${NETWORKS}/%20` },
      { path: `${NETWORKS}/a%2Fb` },
      { path: `${NETWORKS}/${'x'.repeat(300)}` },
    ],
  },
  {
    name: 'there-already',
    steps: [
      made('a'),
      { method: 'POST', path: NETWORKS, body: network('a') },
      { method: 'POST', path: `${NETWORKS}?dryRun=All`, body: network('a') },
      { method: 'POST', path: NETWORKS, body: network('a', {}, { ipv4: { cidr: 'x' } }) },
      { method: 'POST', path: NETWORKS, body: network('b', { resourceVersion: '5' }) },
      { method: 'POST', path: NETWORKS, body: network('c', { uid: '00000000-0000-0000-0000-000000000000' }) },
      {
        method: 'POST',
        path: NETWORKS,
        body: network('d', { generation: 7, creationTimestamp: '2001-01-01T00:00:00Z' }),
      },
      { method: 'POST', path: NETWORKS, body: { ...(network('e') as object), status: { observedGeneration: 3 } } },
    ],
  },
  {
    name: 'generated-names',
    steps: [
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: 'web-' } } },
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: 'web-', name: '' } } },
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: 'web-', name: 'mine' } } },
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: 'Web-' } } },
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: '' } } },
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: 'x'.repeat(58) } } },
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: 'a.b-' } } },
      { method: 'POST', path: NETWORKS, body: { ...network(''), metadata: { generateName: '-' } } },
      { method: 'POST', path: `${NETWORKS}?dryRun=All`, body: { ...network(''), metadata: { generateName: 'web-' } } },
    ],
  },
];

export const writes: CorpusClass = { name: 'writes', cases: [...typed, ...bodies, ...versions, ...places] };
