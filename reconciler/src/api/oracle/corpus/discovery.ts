/** Discovery, classic and aggregated, and where OpenAPI is found. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { GROUP, OFFERINGS } from '../subjects.ts';

const AGGREGATED = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
const ours = (path: string, headers: Record<string, string>, pick: string[]): Ask => ({ path, headers, pick });

const cases: Case[] = [
  {
    name: 'classic',
    steps: [
      { path: '/apis', pick: ['kind', 'apiVersion', 'groups[name=plumb.dev]'] },
      { path: '/apis/plumb.dev' },
      ...[
        'zones',
        'zones/status',
        'instances',
        'instances/status',
        'l3networks',
        'l2networks',
        'hosts',
        'images',
        'instanceofferings',
        'changesets',
      ].map((name): Ask => ({ path: GROUP, pick: ['kind', 'apiVersion', 'groupVersion', `resources[name=${name}]`] })),
      { path: '/api', pick: ['kind', 'versions'] },
      {
        path: '/api/v1',
        pick: [
          'kind',
          'groupVersion',
          'resources[name=namespaces]',
          'resources[name=namespaces/status]',
          'resources[name=events]',
        ],
      },
    ],
  },
  {
    name: 'aggregated',
    steps: [
      ours('/apis', { accept: AGGREGATED }, [
        'kind',
        'apiVersion',
        'metadata',
        'items[metadata/name=plumb.dev].metadata',
      ]),
      ...['zones', 'instances', 'l3networks'].map((name) =>
        ours('/apis', { accept: AGGREGATED }, [
          `items[metadata/name=plumb.dev].versions[version=v1].resources[resource=${name}]`,
        ]),
      ),
      ours('/apis', { accept: AGGREGATED }, ['items[metadata/name=plumb.dev].versions[version=v1].freshness']),
      ours('/api', { accept: AGGREGATED }, [
        'kind',
        'apiVersion',
        'metadata',
        'items[metadata/name=].versions[version=v1].freshness',
      ]),
    ],
  },
  {
    name: 'forms',
    steps: [
      ...[
        AGGREGATED,
        'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
        `${AGGREGATED},application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json`,
        `application/json,${AGGREGATED}`,
        'application/json;g=apidiscovery.k8s.io;v=v9;as=APIGroupDiscoveryList',
        'application/json;as=APIGroupDiscoveryList;v=v2;g=apidiscovery.k8s.io',
        'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList;profile=nopeer',
        'application/yaml',
        'text/html',
        '*/*',
      ].flatMap((accept): Ask[] =>
        ['/apis', '/api'].map((path) => ours(path, { accept }, ['kind', 'apiVersion', 'message', 'reason', 'code'])),
      ),
    ],
  },
  {
    name: 'openapi',
    steps: [
      { path: '/openapi/v3', pick: ['openapi'] },
      { path: '/openapi/v3/', pick: ['openapi'] },
      { path: '/openapi/v3/apis/plumb.dev/v1', pick: ['openapi', 'kind'] },
      { path: '/openapi/v3/apis/bogus.dev/v1' },
      { path: '/openapi/v2', pick: ['swagger', 'kind'] },
      { path: '/openapi/v2', headers: { accept: 'application/json' }, pick: ['swagger'] },
      {
        path: '/openapi/v2',
        headers: { accept: 'application/com.github.proto-openapi.spec.v2@v1.0+protobuf' },
        pick: ['protobuf'],
      },
      {
        path: '/openapi/v2',
        headers: { accept: 'application/com.github.proto-openapi.spec.v2.v1.0+protobuf' },
        pick: ['protobuf'],
      },
      { path: '/openapi/v2', headers: { accept: 'text/html' }, pick: ['swagger'] },
      { method: 'HEAD', path: '/openapi/v2' },
      { method: 'POST', path: '/openapi/v2', body: {}, pick: ['swagger'] },
      { method: 'POST', path: '/openapi/v3', body: {}, pick: ['paths.x'] },
    ],
  },
  {
    name: 'crds',
    steps: ['zones', 'instances', 'l3networks', 'instanceofferings', 'images', 'hosts', 'l2networks', 'changesets'].map(
      (plural): Ask => ({
        path: `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${plural}.plumb.dev`,
        // Their schemas are what the other server was given.
        pick: ['apiVersion', 'kind', 'metadata', 'spec.group', 'spec.names', 'spec.scope', 'status.acceptedNames'],
      }),
    ),
  },
  {
    name: 'crds-read-only-verbs',
    steps: [
      {
        path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions?fieldSelector=metadata.name%3Dzones.plumb.dev',
        pick: ['apiVersion', 'kind', 'metadata'],
      },
      { path: '/apis/apiextensions.k8s.io/v1/customresourcedefinitions/bogus.plumb.dev' },
      { path: '/apis/apiextensions.k8s.io/v1', pick: ['kind', 'groupVersion'] },
      { path: '/apis/apiextensions.k8s.io', pick: ['kind', 'name'] },
    ],
  },
  { name: 'of-a-kind', steps: [{ path: OFFERINGS, pick: ['kind', 'apiVersion'] }] },
];

export const discovery: CorpusClass = { name: 'discovery', cases };
