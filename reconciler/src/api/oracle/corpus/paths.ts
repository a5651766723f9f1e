/** Paths that are no objects: health, version, discovery, what is not there; and methods that are not served. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { GROUP, made, NETWORKS, OFFERINGS } from '../subjects.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];
const merge = { 'content-type': 'application/merge-patch+json' };
const all = (path: string): Ask[] =>
  METHODS.map((method) => ({
    method,
    path,
    ...(['POST', 'PUT', 'PATCH'].includes(method)
      ? { body: {}, ...(method === 'PATCH' ? { headers: merge } : {}) }
      : {}),
  }));

const methods: Case[] = [
  ['collection', `${NETWORKS}`],
  ['all-namespaces', `${GROUP}/l3networks?labelSelector=of%3D{id}`],
  ['object', `${NETWORKS}/a`],
  ['status', `${NETWORKS}/a/status`],
  ['subresource', `${NETWORKS}/a/scale`],
  ['deeper', `${NETWORKS}/a/b/c`],
  ['estate', `${OFFERINGS}/{id}/status`],
  ['unknown-resource', `${GROUP}/bogus`],
  ['unknown-resource-object', `${GROUP}/bogus/a`],
  ['unknown-namespaced', `${GROUP}/namespaces/{ns}/bogus/a`],
  ['unknown-version', '/apis/plumb.dev/v9/zones'],
  ['unknown-group', '/apis/bogus.dev/v1/zones'],
  ['group', '/apis/plumb.dev'],
  ['group-version', GROUP],
  ['unknown-core', '/api/v1/bogus'],
  ['unknown-core-version', '/api/v2'],
  ['nothing', '/bogus'],
].map(([name, path]) => ({
  name: `methods-${name}`,
  steps: [
    made('a'),
    ...all(path!).map((one) => (name === 'group-version' ? { ...one, pick: ['kind', 'groupVersion'] } : one)),
  ],
}));

const HEALTH = [
  '/healthz',
  '/livez',
  '/readyz',
  '/healthz/',
  '/livez/ping',
  '/readyz/ping',
  '/healthz/ping',
  '/livez/bogus',
  '/readyz/etcd',
  '/healthz/bogus',
  '/healthz/ping/',
  '/livez?exclude=ping',
  '/readyz?exclude=bogus',
];
const health: Case = {
  name: 'health',
  steps: HEALTH.flatMap((path): Ask[] => [
    { path },
    { path, anonymous: true },
    { method: 'HEAD', path },
    { method: 'POST', path },
  ]),
};

const others: Case[] = [
  health,
  {
    name: 'version',
    steps: ['/version', '/version/', '/version/x'].flatMap((path): Ask[] => [
      { path, pick: ['kind', 'message', 'reason', 'code'] },
      { path, anonymous: true, pick: ['kind', 'message', 'reason', 'code'] },
      { method: 'HEAD', path },
      { method: 'POST', path, pick: ['kind', 'message', 'reason', 'code'] },
    ]),
  },
  {
    name: 'root',
    steps: [
      { path: '/', pick: ['kind'] },
      { path: '/', anonymous: true },
      { method: 'HEAD', path: '/' },
      { method: 'POST', path: '/', pick: ['kind'] },
      { path: '/index.html', pick: ['kind'] },
      { path: '//' },
      { path: '/apis/', pick: ['kind', 'apiVersion'] },
      { path: '/api/', pick: ['kind', 'versions'] },
      { path: '/apis/plumb.dev/' },
      { path: `${GROUP}/`, pick: ['kind', 'groupVersion'] },
      { path: '/api/v1/', pick: ['kind', 'groupVersion'] },
      { path: `${OFFERINGS}/?labelSelector=of%3D{id}` },
      { path: `${GROUP}/namespaces` },
      { path: '/API/v1/namespaces' },
      { path: '/api/v1/Namespaces' },
      { path: '/metrics', pick: ['kind'], anonymous: true },
    ],
  },
  {
    name: 'without-a-token',
    steps: METHODS.filter((method) => method !== 'OPTIONS').flatMap((method): Ask[] => [
      { method, path: `${NETWORKS}/a`, anonymous: true },
      { method, path: '/apis/plumb.dev/v1/instanceofferings', anonymous: true },
      { method, path: '/api', anonymous: true },
    ]),
  },
  {
    name: 'with-a-wrong-token',
    steps: ['Bearer abc', 'Bearer', 'Basic YTpi', 'bogus', 'Bearer  '].map(
      (authorization): Ask => ({
        path: OFFERINGS,
        anonymous: true,
        headers: { authorization },
      }),
    ),
  },
];

export const paths: CorpusClass = { name: 'paths', cases: [...methods, ...others] };
