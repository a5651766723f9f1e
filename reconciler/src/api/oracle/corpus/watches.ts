/** Watches: where they begin, what they send, and what is refused. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { made, NETWORKS, network, query, word } from '../subjects.ts';

const two = [made('a'), made('b', {}, 'b')];
const list: Ask = { path: NETWORKS, save: 'list', setUp: true };
const add: Ask = { method: 'POST', path: NETWORKS, body: network('c'), setUp: true };
const merge = (name: string, patch: object): Ask => ({
  method: 'PATCH',
  path: `${NETWORKS}/${name}`,
  body: patch,
  headers: { 'content-type': 'application/merge-patch+json' },
  setUp: true,
});
const gone = (name: string): Ask[] => [
  { method: 'DELETE', path: `${NETWORKS}/${name}`, setUp: true },
  merge(name, { metadata: { finalizers: null } }),
];

const beginnings: Case[] = [undefined, 'true', 'false', 'bogus', ''].flatMap((sendInitialEvents) =>
  [undefined, '', 'NotOlderThan', 'Exact', 'Bogus'].map(
    (resourceVersionMatch): Case => ({
      name: `initial-${word(sendInitialEvents)}-match-${word(resourceVersionMatch)}`,
      steps: [
        ...two,
        list,
        ...[undefined, '', '0', '{list.rv}'].map((resourceVersion) => ({
          watch: `${NETWORKS}${query({ watch: '1', sendInitialEvents, resourceVersionMatch, resourceVersion, allowWatchBookmarks: 'true' })}`,
        })),
      ],
    }),
  ),
);

const others: Case[] = [
  {
    name: 'revisions',
    steps: [
      ...two,
      ...['abc', '-1', '1.5', '99999999999999', ' '].map((rv) => ({
        watch: `${NETWORKS}?watch=1&resourceVersion=${encodeURIComponent(rv)}`,
      })),
    ],
  },
  {
    name: 'initial-without-bookmarks',
    steps: [...two, { watch: `${NETWORKS}?watch=1&sendInitialEvents=true&resourceVersionMatch=NotOlderThan` }],
  },
  {
    name: 'words-of-watch',
    steps: ['true', '1', 'TRUE', 'yes', ''].map((watch) => ({ watch: `${NETWORKS}?watch=${watch}` })),
  },
  {
    name: 'limit-and-continue',
    steps: [...two, { watch: `${NETWORKS}?watch=1&limit=1` }, { watch: `${NETWORKS}?watch=1&continue=abc` }],
  },
  {
    name: 'timeouts',
    steps: ['1', '0', 'abc', '1.5', ''].map((seconds) => ({
      watch: `${NETWORKS}?watch=1&timeoutSeconds=${seconds}`,
    })),
  },
  {
    name: 'add-change-remove',
    steps: [
      ...two,
      list,
      {
        watch: `${NETWORKS}?watch=1&resourceVersion={list.rv}`,
        during: [
          add,
          merge('a', { metadata: { labels: { x: 'y' } } }),
          merge('a', { metadata: { labels: { x: 'y' } } }),
          ...gone('b'),
        ],
      },
    ],
  },
  {
    name: 'of-one-name',
    steps: [
      ...two,
      list,
      {
        watch: `${NETWORKS}?watch=1&resourceVersion={list.rv}&fieldSelector=metadata.name%3Da`,
        during: [add, merge('a', { metadata: { labels: { x: 'y' } } }), ...gone('b')],
      },
    ],
  },
  {
    name: 'of-one-object',
    steps: [
      ...two,
      list,
      {
        watch: `${NETWORKS}/a?watch=1&resourceVersion={list.rv}`,
        during: [merge('a', { spec: { dns: { domain: 'x.y' } } })],
      },
    ],
  },
  {
    name: 'comes-and-goes-by-label',
    steps: [
      ...two,
      list,
      {
        watch: `${NETWORKS}?watch=1&resourceVersion={list.rv}&labelSelector=x%3Dy`,
        during: [
          merge('a', { metadata: { labels: { x: 'y' } } }),
          merge('a', { metadata: { labels: { z: 'y' } } }),
          merge('a', { metadata: { labels: { x: 'n' } } }),
          merge('a', { metadata: { labels: { x: 'y' } } }),
          ...gone('a'),
        ],
      },
    ],
  },
  {
    name: 'as-table',
    steps: [
      ...two,
      ...['', '&includeObject=None', '&includeObject=Object', '&includeObject=Bogus'].map((include) => ({
        watch: `${NETWORKS}?watch=1${include}`,
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
      })),
      list,
      {
        watch: `${NETWORKS}?watch=1&resourceVersion={list.rv}`,
        headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
        during: [add, ...gone('b')],
      },
    ],
  },
  {
    name: 'as-metadata',
    steps: [
      ...two,
      {
        watch: `${NETWORKS}?watch=1`,
        headers: { accept: 'application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io' },
      },
    ],
  },
  {
    name: 'media-types',
    steps: [
      ...two,
      ...['application/yaml', 'text/html', '*/*', 'application/json;stream=watch', ''].map((accept) => ({
        watch: `${NETWORKS}?watch=1`,
        headers: { accept },
      })),
    ],
  },
];

export const watches: CorpusClass = { name: 'watches', cases: [...beginnings, ...others] };
