/** Lists: pages, and which revision of what is read. */
import type { Case, CorpusClass } from '../case.ts';
import { ALL_NETWORKS, made, NETWORKS, query, word } from '../subjects.ts';

const five = ['a', 'b', 'c', 'd', 'e'].map((name, i) =>
  made(name, { labels: { odd: i % 2 ? 'no' : 'yes', of: '{id}' } }),
);

const limits: Case[] = ['0', '1', '2', '4', '5', '6', '-1', 'abc', '1.5', '', '99999999999'].map((limit) => ({
  name: `limit-${word(limit)}`,
  steps: [...five, { path: `${NETWORKS}?limit=${limit}` }],
}));

const revisions = [undefined, '', '0', '{list.rv}', 'abc', '-1', '99999999999999'];
const matches = [undefined, '', 'Exact', 'NotOlderThan', 'Bogus'];

const atRevisions: Case[] = [undefined, '2'].map((limit) => ({
  name: `revisions-limit-${word(limit)}`,
  steps: [
    ...five,
    { path: NETWORKS, save: 'list', setUp: true },
    ...revisions.flatMap((resourceVersion) =>
      matches.map((resourceVersionMatch) => ({
        path: `${NETWORKS}${query({ limit, resourceVersion, resourceVersionMatch })}`,
      })),
    ),
  ],
}));

const continued: Case[] = [
  {
    name: 'pages-of-two',
    steps: [
      ...five,
      { path: `${NETWORKS}?limit=2`, save: 'one' },
      made('bb'),
      { path: `${NETWORKS}?limit=2&continue={one.continue}`, save: 'two' },
      { path: `${NETWORKS}?limit=2&continue={two.continue}`, save: 'three' },
      { path: `${NETWORKS}?continue={one.continue}` },
      { path: `${NETWORKS}?limit=1&continue={one.continue}` },
    ],
  },
  {
    name: 'pages-of-a-selection',
    steps: [
      ...five,
      { path: `${NETWORKS}?limit=1&labelSelector=odd%3Dyes`, save: 'one' },
      { path: `${NETWORKS}?limit=1&labelSelector=odd%3Dyes&continue={one.continue}`, save: 'two' },
      { path: `${NETWORKS}?limit=1&labelSelector=odd%3Dyes&continue={two.continue}` },
      { path: `${NETWORKS}?limit=1&fieldSelector=metadata.name%3Dc` },
      { path: `${NETWORKS}?limit=2&fieldSelector=metadata.name%21%3Dc` },
    ],
  },
  {
    name: 'pages-across-namespaces',
    steps: [
      ...five,
      { path: `${ALL_NETWORKS}?limit=2&labelSelector=of%3D{id}`, save: 'one' },
      { path: `${ALL_NETWORKS}?limit=2&labelSelector=of%3D{id}&continue={one.continue}`, save: 'two' },
      { path: `${ALL_NETWORKS}?limit=2&labelSelector=of%3D{id}&continue={two.continue}` },
    ],
  },
  {
    name: 'continue-beside-others',
    steps: [
      ...five,
      { path: `${NETWORKS}?limit=2`, save: 'one', setUp: true },
      ...['0', '1', '{one.rv}'].flatMap((rv) => [
        { path: `${NETWORKS}?limit=2&continue={one.continue}&resourceVersion=${rv}` },
        { path: `${NETWORKS}?limit=2&continue={one.continue}&resourceVersion=${rv}&resourceVersionMatch=Exact` },
        { path: `${NETWORKS}?limit=2&continue={one.continue}&resourceVersion=${rv}&resourceVersionMatch=NotOlderThan` },
      ]),
      { path: `${NETWORKS}?limit=2&continue={one.continue}&resourceVersionMatch=Exact` },
      { path: `${NETWORKS}?limit=2&continue={one.continue}&sendInitialEvents=true` },
    ],
  },
  {
    name: 'continue-that-is-none',
    steps: [
      'abc',
      '%20',
      'e30',
      'eyJ2IjoibWV0YS5rOHMuaW8vdjEiLCJydiI6MSwic3RhcnQiOiIifQ',
      'eyJ2IjoiYSJ9',
      '%E4%B8%AD',
    ].map((token) => ({ path: `${NETWORKS}?continue=${token}` })),
  },
  {
    name: 'empty',
    steps: [
      { path: NETWORKS },
      { path: `${NETWORKS}?limit=1` },
      { path: `${ALL_NETWORKS}?labelSelector=of%3D{id}` },
      { path: '/apis/plumb.dev/v1/namespaces/{id}-none/l3networks' },
      { path: `${NETWORKS}?sendInitialEvents=true` },
      { path: `${NETWORKS}?sendInitialEvents=false` },
      { path: `${NETWORKS}?sendInitialEvents=true&resourceVersionMatch=NotOlderThan` },
      { path: `${NETWORKS}?allowWatchBookmarks=true` },
      { path: `${NETWORKS}?timeoutSeconds=5` },
      { path: `${NETWORKS}?timeoutSeconds=abc` },
      { path: `${NETWORKS}?watch=false` },
      { path: `${NETWORKS}?watch=0` },
      { path: `${NETWORKS}?pretty=true` },
      { path: `${NETWORKS}?unknown=1` },
    ],
  },
];

export const lists: CorpusClass = { name: 'lists', cases: [...limits, ...atRevisions, ...continued] };
