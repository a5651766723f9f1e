/** The same sorts of requests with other words: what was mended for one must hold for its brothers. */
import type { Ask, Case, CorpusClass, Step } from '../case.ts';
import { ALL_NETWORKS, GROUP, made, NETWORKS, OFFERINGS, query, word } from '../subjects.ts';

const MERGE = { 'content-type': 'application/merge-patch+json' };
const JSON_PATCH = { 'content-type': 'application/json-patch+json' };
const META = 'g=meta.k8s.io';
const CONFIG = '/api/v1/namespaces/{ns}/configmaps';
const SPACES = '/api/v1/namespaces';
const config = (name: string, metadata: object = {}): Ask => ({
  ...{ method: 'POST', path: CONFIG, setUp: true },
  body: { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, ...metadata }, data: { a: 'b' } },
});

const ACCEPTS = [
  ...[
    '*',
    '*/*;q=0.1',
    'application/yaml;q=0.5,application/json;q=0.4',
    'application/json;q=0',
    'text/html;q=1,*/*;q=0.1',
  ],
  ...[
    'application/json, */*',
    '*/*, application/yaml',
    'application/yaml, application/*',
    'application/json;v=v1',
    'application/json;as=',
  ],
  ...[`application/json;as=Table;v=v1`, `application/json;as=Table;${META}`, `application/*;as=Table;v=v1;${META}`],
  ...[`*/*;as=Table;v=v1;${META}`, `application/json;as=Table;v=v1;${META};q=0.2,application/json`],
  ...[`application/json;as=PartialObjectMetadata;v=v1beta1;${META}`],
  ...[`application/json;as=PartialObjectMetadataList;v=v1beta1;${META}`],
  ...[`application/yaml;as=PartialObjectMetadata;v=v1;${META}`],
  ...[`application/vnd.kubernetes.protobuf;as=PartialObjectMetadata;v=v1;${META}`],
  ...[`application/vnd.kubernetes.protobuf;as=Table;v=v1;${META}`],
  ...['application/json;stream=watch', 'application/json;stream=x', 'application/json;sv=v1', 'application/json;sv=v2'],
  ...[
    'application/json;export=1',
    'application/json;profile=x',
    'application/json/x',
    ';',
    ',',
    'application/json;;charset=x',
  ],
  ...['application/json ; charset=x', 'application / json', 'application/json;q=x', 'application/merge-patch+json'],
  ...[`application/json;as=Table;v=v1;${META},application/json;as=Table;v=v1beta1;${META},application/json`],
  ...[`application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io`],
];

const media: Case[] = [
  ['object', `${NETWORKS}/a`],
  ['list', NETWORKS],
  ['empty', `${ALL_NETWORKS}?labelSelector=of%3D{id}`],
  ['config', `${CONFIG}/a`],
  ['configs', `${CONFIG}?fieldSelector=metadata.name%3Da`],
  ['not-there', `${CONFIG}/none`],
  ['group', '/apis/plumb.dev'],
  ['version', '/version'],
].map(([name, path]) => ({
  name: `accept-${name}`,
  steps: [
    made('a'),
    config('a'),
    ...ACCEPTS.map(
      (accept): Ask => ({
        ...{ path: path!, headers: { accept } },
        ...(path === '/version' ? { pick: ['kind', 'message', 'reason'] } : {}),
      }),
    ),
  ],
}));

const PATHS = [
  ...['/apis/plumb.dev/v1//l3networks', '/apis//v1/l3networks', '//apis/plumb.dev/v1', '/apis/plumb.dev//v1'],
  ...['/api//v1', '/api/v1//namespaces', '/api/v1/namespaces//configmaps', '/api/v1/namespaces/{ns}//a'],
  ...[`${GROUP}/namespaces//l3networks?labelSelector=of%3D{id}`, `${NETWORKS}//`, `${NETWORKS}/a/`, `${NETWORKS}/a//`],
  ...[
    `${NETWORKS}/a%2Fstatus`,
    `${NETWORKS}/%61`,
    `${NETWORKS}/a?`,
    `${NETWORKS}/a%20`,
    `${NETWORKS}/A`,
    `${NETWORKS}/.`,
  ],
  ...[
    `${NETWORKS}/..`,
    `${GROUP}/namespaces/{ns}`,
    `${GROUP}/namespaces/{ns}/l3networks/a/status/x`,
    `${GROUP}/L3Networks`,
  ],
  ...[`${GROUP}/l3network`, `${GROUP}/l3`, `${GROUP}/l3networks/a`, `${GROUP}/namespaces/{ns}/zones`],
  ...[`${GROUP}/namespaces/{ns}/instanceofferings/{id}`],
  ...[
    '/apis/PLUMB.DEV/v1',
    '/apis/plumb.dev/V1',
    '/apis/rbac.authorization.k8s.io/v9',
    '/apis/rbac.authorization.k8s.io/v1/bogus',
  ],
  ...['/apis/coordination.k8s.io/v1/namespaces/{ns}/bogus', '/api/v1/namespaces/{ns}/configmaps/none'],
  ...[
    '/api/v1/configmaps/a',
    '/api/v1/namespaces/{ns}/namespaces',
    '/api/v3',
    '/api/v1/x/y/z',
    '/apis/x',
    '/apis/x/v1',
  ],
  ...[
    '/logs',
    '/ui',
    '/swagger.json',
    '/openapi',
    '/openapi/v4',
    '/openapi/v3/api',
    '/healthz/x/y',
    '/livez/',
    '/readyz/ping/x',
  ],
  ...[
    '/.well-known/x',
    '/version/x/y',
    '/metrics/',
    '/index.html/',
    '/favicon.ico',
    '/api/',
    '/api/v1/',
    '/apis/plumb.dev/v1/',
  ],
];
const SEEN = ['/', '/api', '/apis', '/api/v1', GROUP, '/version', '/healthz', OFFERINGS, CONFIG, `${CONFIG}/a`];
const whole = new Set([
  '/api/',
  '/api/v1/',
  '/apis/plumb.dev/v1/',
  '/metrics/',
  '/.well-known/x',
  '/logs',
  '/openapi/v3/api',
]);

const paths: Case[] = [
  {
    name: 'odd-paths',
    steps: [
      made('a'),
      config('a'),
      ...PATHS.map((path): Ask => ({ path, ...(whole.has(path) ? { pick: ['kind', 'message'] } : {}) })),
    ],
  },
  {
    name: 'odd-paths-posted',
    steps: PATHS.filter((path) => !whole.has(path)).map((path): Ask => ({ method: 'DELETE', path })),
  },
  {
    name: 'heads',
    steps: [config('a'), ...SEEN.map((path): Ask => ({ method: 'HEAD', path }))],
  },
  {
    name: 'put-anywhere',
    steps: [
      config('a'),
      ...SEEN.map((path): Ask => ({ method: 'OPTIONS', path, pick: ['kind', 'reason', 'message'] })),
    ],
  },
];

const includes = ['', 'None', 'Metadata', 'Object'];
const tables: Case[] = [
  ...includes.map(
    (include): Case => ({
      name: `watched-table-${word(include)}`,
      steps: [
        made('a'),
        {
          watch: `${NETWORKS}?watch=1&includeObject=${include}`,
          headers: { accept: `application/json;as=Table;v=v1;${META}` },
          during: [made('b'), { method: 'DELETE', path: `${NETWORKS}/b`, setUp: true }],
        },
      ],
    }),
  ),
  ...['PartialObjectMetadata', 'PartialObjectMetadataList'].map(
    (as): Case => ({
      name: `watched-${as}`,
      steps: [
        config('a'),
        {
          watch: `${CONFIG}?watch=1`,
          headers: { accept: `application/json;as=${as};v=v1;${META}` },
          during: [config('b'), { method: 'DELETE', path: `${CONFIG}/b`, setUp: true }],
        },
      ],
    }),
  ),
  {
    name: 'table-of-pages',
    steps: [
      ...['a', 'b', 'c'].map((name) => config(name)),
      ...[
        { accept: `application/json;as=Table;v=v1;${META}` },
        { accept: `application/json;as=PartialObjectMetadataList;v=v1;${META}` },
      ].flatMap((headers): Step[] => [
        { path: `${CONFIG}?limit=2`, headers, save: 'page' },
        { path: `${CONFIG}?limit=2&continue={page.continue}`, headers },
        { method: 'DELETE', path: `${CONFIG}?dryRun=All&fieldSelector=metadata.name%3Da`, headers },
        {
          method: 'DELETE',
          path: `${CONFIG}/a?dryRun=All`,
          headers: { accept: `application/json;as=Table;v=v1;${META}` },
        },
        { path: `${CONFIG}/a?includeObject=x`, headers: { accept: `application/json;as=Table;v=v1;${META}` } },
      ]),
    ],
  },
];

const ONE = { apiVersion: 'plumb.dev/v1', kind: 'L3Network', metadata: { name: 'a' } };
const condition = {
  ...{ type: 'Ready', status: 'True', reason: 'Good', message: 'fine' },
  lastTransitionTime: '2026-01-01T00:00:00Z',
};
const status: Case[] = [
  {
    name: 'status-written',
    steps: [
      made('a', { labels: { x: 'y' } }),
      { path: `${NETWORKS}/a/status` },
      { method: 'PATCH', path: `${NETWORKS}/a/status`, headers: MERGE, body: { status: { conditions: [condition] } } },
      { method: 'PATCH', path: `${NETWORKS}/a/status`, headers: MERGE, body: { status: { conditions: [condition] } } },
      { method: 'PATCH', path: `${NETWORKS}/a/status`, headers: MERGE, body: { spec: { l2Network: 'x' } } },
      { method: 'PATCH', path: `${NETWORKS}/a/status`, headers: MERGE, body: { metadata: { labels: { z: 'z' } } } },
      { method: 'PATCH', path: `${NETWORKS}/a`, headers: MERGE, body: { status: { conditions: [] } } },
      {
        ...{ method: 'PATCH', path: `${NETWORKS}/a/status`, headers: JSON_PATCH },
        body: [{ op: 'remove', path: '/status/conditions' }],
      },
      {
        method: 'PUT',
        path: `${NETWORKS}/a/status`,
        body: { ...ONE, status: { conditions: [condition] } },
        fresh: true,
      },
      { method: 'PUT', path: `${NETWORKS}/a/status`, body: { ...ONE, metadata: { name: 'b' }, status: {} } },
      { method: 'PUT', path: `${NETWORKS}/none/status`, body: { ...ONE, metadata: { name: 'none' } } },
      { method: 'PATCH', path: `${NETWORKS}/none/status`, headers: MERGE, body: {} },
      { method: 'PATCH', path: `${NETWORKS}/a/status?dryRun=All`, headers: MERGE, body: { status: null } },
      { method: 'PATCH', path: `${NETWORKS}/a/status`, headers: MERGE, body: { status: null } },
      { path: `${NETWORKS}/a` },
      { path: `${NETWORKS}/none/status` },
    ],
  },
  {
    name: 'scale',
    steps: [
      made('a'),
      ...['GET', 'PUT', 'PATCH', 'DELETE'].map(
        (method): Ask => ({
          ...{ method, path: `${NETWORKS}/a/scale` },
          ...(method === 'PUT' || method === 'PATCH' ? { body: {}, headers: method === 'PATCH' ? MERGE : {} } : {}),
        }),
      ),
      { path: `${OFFERINGS}/{id}/scale` },
      { path: `${CONFIG}/a/scale` },
      { path: `${SPACES}/{ns}/scale` },
    ],
  },
  {
    name: 'status-of-namespaces',
    steps: [
      { path: `${SPACES}/{ns}/status` },
      { method: 'PATCH', path: `${SPACES}/{ns}/status`, headers: MERGE, body: { status: { phase: 'Active' } } },
      { method: 'PATCH', path: `${SPACES}/{ns}/status`, headers: MERGE, body: { metadata: { labels: { a: 'b' } } } },
      { method: 'DELETE', path: `${SPACES}/{ns}/status` },
    ],
  },
];

const four = ['a', 'b', 'c', 'd'].map((name, i) => config(name, { labels: { odd: i % 2 ? 'no' : 'yes' } }));
const versions = [undefined, '', '0', '1', '{list.rv}', 'x', '-1', '9999999999999'];
const matches = [undefined, '', 'Exact', 'NotOlderThan', 'exact'];
const lists: Case[] = [
  ...[undefined, '1', '0', '9'].map(
    (limit): Case => ({
      name: `configs-limit-${word(limit)}`,
      steps: [
        ...four,
        { path: CONFIG, save: 'list', setUp: true },
        ...versions.flatMap((resourceVersion) =>
          matches.map((resourceVersionMatch) => ({
            path: `${CONFIG}${query({ limit, resourceVersion, resourceVersionMatch })}`,
          })),
        ),
      ],
    }),
  ),
  {
    name: 'configs-pages',
    steps: [
      ...four,
      { path: `${CONFIG}?limit=3`, save: 'one' },
      config('bb'),
      { method: 'DELETE', path: `${CONFIG}/d`, setUp: true },
      { path: `${CONFIG}?limit=3&continue={one.continue}` },
      { path: `${CONFIG}?limit=1&continue={one.continue}`, save: 'two' },
      { path: `${CONFIG}?limit=1&continue={two.continue}` },
      { path: `${CONFIG}?continue={one.continue}&resourceVersion=0` },
      { path: `${CONFIG}?continue={one.continue}&resourceVersion=1` },
      { path: `${CONFIG}?labelSelector=odd%3Dyes&limit=1`, save: 'three' },
      { path: `${CONFIG}?labelSelector=odd%3Dyes&limit=1&continue={three.continue}` },
      { path: `${NETWORKS}?continue={one.continue}`, pick: ['reason', 'code'] },
      { path: `${CONFIG}?limit=2&continue=!` },
      { path: `${CONFIG}?limit=x` },
      { path: `${CONFIG}?limit=-5` },
    ],
  },
];

const flags = [undefined, 'true', 'false', '', 'x'];
const watches: Case[] = flags.map(
  (sendInitialEvents): Case => ({
    name: `configs-initial-${word(sendInitialEvents)}`,
    steps: [
      config('a'),
      { path: CONFIG, save: 'list', setUp: true },
      ...[undefined, '', '0', '{list.rv}', '9999999999999'].flatMap((resourceVersion) =>
        [undefined, 'NotOlderThan', 'Exact'].map(
          (resourceVersionMatch): Step => ({
            watch: `${CONFIG}${query({ watch: 'true', resourceVersion, resourceVersionMatch, sendInitialEvents, allowWatchBookmarks: 'true' })}`,
          }),
        ),
      ),
    ],
  }),
);

export const again: CorpusClass = {
  name: 'again',
  cases: [...media, ...paths, ...tables, ...status, ...lists, ...watches],
};
