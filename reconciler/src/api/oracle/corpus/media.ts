/** Media types: what is taken, and in which form answers come. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { GROUP, made, NETWORKS, network } from '../subjects.ts';

const ACCEPTS = [
  ...[
    'application/json',
    'application/yaml',
    'application/vnd.kubernetes.protobuf',
    'application/cbor',
    'text/html',
    'text/plain',
    '*/*',
  ],
  ...[
    '',
    'application/*',
    'text/*',
    'application/json;q=0.1,application/yaml',
    'text/html,application/json',
    'bogus',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
  ],
  ...[
    'application/json;as=Table;v=v1beta1;g=meta.k8s.io',
    'application/json;as=Table;v=v2;g=meta.k8s.io',
    'application/json;as=Table;g=meta.k8s.io;v=v1,application/json',
  ],
  ...[
    'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io',
    'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
  ],
  ...[
    'application/yaml;as=Table;v=v1;g=meta.k8s.io',
    'application/json;as=Bogus;v=v1;g=meta.k8s.io',
    'application/json;charset=utf-8',
    'application/json;pretty=1',
  ],
  ...[
    'APPLICATION/JSON',
    'application/vnd.kubernetes.protobuf,application/json',
    'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io,application/json',
  ],
];

const yaml = (name: string) =>
  `apiVersion: plumb.dev/v1\nkind: L3Network\nmetadata:\n  name: ${name}\nspec:\n  l2Network: lan\n  ipv4:\n    cidr: 10.0.0.0/24\n`;
const json = (name: string) => JSON.stringify(network(name));

const reads: Case[] = [
  ['object', `${NETWORKS}/a`],
  ['list', NETWORKS],
  ['missing', `${NETWORKS}/none`],
  ['resources', GROUP],
].map(([name, path]) => ({
  name: `accept-of-${name}`,
  steps: [
    made('a'),
    // Of all the kinds one is enough: there will be more.
    ...ACCEPTS.map(
      (accept): Ask => ({
        ...{ path: path!, headers: { accept } },
        ...(name === 'resources' ? { pick: ['kind', 'message', 'protobuf', 'resources[name=l3networks]'] } : {}),
      }),
    ),
  ],
}));

const CONTENT = [
  'application/json',
  'application/yaml',
  'text/plain',
  '',
  'application/json; charset=utf-8',
  'application/json;charset=latin1',
  'APPLICATION/JSON',
  'bogus',
  'application/x-www-form-urlencoded',
];
const sent: Case[] = [
  {
    name: 'content-of-create',
    steps: CONTENT.flatMap((type): Ask[] => [
      { method: 'POST', path: `${NETWORKS}?dryRun=All`, headers: { 'content-type': type }, body: json('x') },
      { method: 'POST', path: `${NETWORKS}?dryRun=All`, headers: { 'content-type': type }, body: yaml('x') },
    ]),
  },
  {
    name: 'content-of-update',
    steps: [
      made('a', {}, 'a'),
      ...CONTENT.map(
        (type): Ask => ({
          method: 'PUT',
          path: `${NETWORKS}/a?dryRun=All`,
          headers: { 'content-type': type },
          body: (type.includes('yaml') ? yaml('a') : json('a')).replace(
            /("?name"?:\s*"?a"?)/,
            type.includes('yaml') ? '$1\n  resourceVersion: "{a.rv}"' : '$1,"resourceVersion":"{a.rv}"',
          ),
        }),
      ),
    ],
  },
  {
    name: 'content-of-patch',
    steps: [
      made('a'),
      ...[
        ...CONTENT,
        'application/strategic-merge-patch+json',
        'application/merge-patch+json; charset=utf-8',
        'application/merge-patch+yaml',
        'application/json-patch+yaml',
      ].map(
        (type): Ask => ({
          method: 'PATCH',
          path: `${NETWORKS}/a?dryRun=All`,
          headers: { 'content-type': type },
          body: '{}',
        }),
      ),
    ],
  },
  {
    name: 'content-of-delete',
    steps: [
      made('a'),
      ...CONTENT.map(
        (type): Ask => ({
          method: 'DELETE',
          path: `${NETWORKS}/a?dryRun=All`,
          headers: { 'content-type': type },
          body: '{"apiVersion":"v1","kind":"DeleteOptions"}',
        }),
      ),
      {
        method: 'DELETE',
        path: `${NETWORKS}/a`,
        headers: { 'content-type': 'application/yaml' },
        body: 'apiVersion: v1\nkind: DeleteOptions\ndryRun: [All]\n',
      },
    ],
  },
  {
    name: 'yaml-in-and-out',
    steps: [
      {
        method: 'POST',
        path: NETWORKS,
        save: 'yaml',
        headers: { 'content-type': 'application/yaml', accept: 'application/yaml' },
        body: yaml('a'),
      },
      {
        method: 'POST',
        path: NETWORKS,
        headers: { 'content-type': 'application/yaml', accept: 'application/yaml' },
        body: yaml('a'),
      },
      {
        method: 'PUT',
        path: `${NETWORKS}/a`,
        headers: { 'content-type': 'application/yaml' },
        body: yaml('a')
          .replace('lan', 'lan\n  dns: {domain: a.b}')
          .replace('name: a', 'name: a\n  resourceVersion: "{yaml.rv}"'),
      },
      {
        method: 'POST',
        path: NETWORKS,
        headers: { 'content-type': 'application/yaml' },
        body: `${yaml('b')}---\n${yaml('c')}`,
      },
      { method: 'POST', path: NETWORKS, headers: { 'content-type': 'application/yaml' }, body: 'a: [' },
      {
        method: 'POST',
        path: `${NETWORKS}?fieldValidation=Warn`,
        headers: { 'content-type': 'application/yaml' },
        body: yaml('g').replace('  l2Network: lan', '  l2Network: lan\n  l2Network: lan'),
      },
      {
        method: 'POST',
        path: NETWORKS,
        headers: { 'content-type': 'application/yaml' },
        body: yaml('e').replace('l2Network: lan', 'l2Network: yes'),
        pick: ['kind', 'reason', 'code', 'details.name'],
      },
      {
        method: 'POST',
        path: NETWORKS,
        headers: { 'content-type': 'application/yaml' },
        body: yaml('d').replace('  l2Network: lan', '  l2Network: lan\n  l2Network: lan'),
      },
      {
        method: 'POST',
        path: NETWORKS,
        headers: { 'content-type': 'application/yaml' },
        body: yaml('f').replace('metadata:', 'metadata: &m').replace('spec:', 'x: *m\nspec:'),
      },
    ],
  },
  {
    name: 'gzip',
    steps: [
      ...Array.from({ length: 40 }, (_, i) => made(`n${i}`, { annotations: { note: 'x'.repeat(4000) } })),
      { path: NETWORKS, headers: { 'accept-encoding': 'gzip' }, pick: ['items[metadata/name=n0].metadata.name'] },
      { path: NETWORKS, headers: { 'accept-encoding': 'deflate' }, pick: ['items[metadata/name=n0].metadata.name'] },
      {
        path: NETWORKS,
        headers: { 'accept-encoding': 'identity, gzip;q=0.5' },
        pick: ['items[metadata/name=n0].metadata.name'],
      },
      { path: `${NETWORKS}/n0`, headers: { 'accept-encoding': 'gzip' }, pick: ['metadata.name'] },
    ],
  },
];

export const media: CorpusClass = { name: 'media', cases: [...reads, ...sent] };
