/** Selectors: the grammar of labels and fields, and what is selected. */
import type { Case, CorpusClass } from '../case.ts';
import { ALL_NETWORKS, made, NETWORKS } from '../subjects.ts';

const ready = [
  made('a', { labels: { app: 'a', n: '5', of: '{id}' } }),
  made('b', { labels: { app: 'b', n: '7', 'x.io/y': 'z', of: '{id}' } }),
  made('c', { labels: { of: '{id}', empty: '' } }),
];

const LABELS = [
  ...[
    'app',
    '!app',
    'app=a',
    'app==a',
    'app!=a',
    'app in (a,b)',
    'app notin (a)',
    'app in ()',
    'app in (a',
    'app in a',
  ],
  ...[
    'n>6',
    'n < 6',
    'n>x',
    '!n>6',
    'app=a,n=5',
    'app=a,',
    ',app=a',
    'app=a,,n=5',
    'app=',
    'empty=',
    'empty in (,)',
    'x.io/y=z',
  ],
  ...[
    'x/y/z=1',
    'UPPER/x=1',
    '-bad',
    'app=a;n=5',
    "app!=a'1'",
    'app=a!',
    'app=a b',
    'app in (a b)',
    '()',
    '=',
    '!',
    ' ',
    ' app = a ',
  ],
  ...[
    'app=é',
    'notin=a',
    'in in (in)',
    'app!a',
    'app=!a',
    'app=(a)',
    'app>',
    'n>5.5',
    'n>-1',
    'app in (A,_)',
    'app in (,a)',
  ],
];

const FIELDS = [
  ...[
    'metadata.name=a',
    'metadata.name==a',
    'metadata.name!=a',
    'metadata.namespace={ns}',
    'metadata.namespace!={ns}',
    'metadata.namespace=x',
  ],
  ...[
    'metadata.name=a,metadata.name=b',
    'metadata.name=a,metadata.namespace={ns}',
    'metadata.name=',
    'metadata.name',
    'metadata.name>a',
    '=a',
  ],
  ...[
    'spec.l2Network=lan',
    'metadata.labels=a',
    'status.phase=x',
    'metadata.uid=x',
    'bogus=1',
    'metadata.name=a,',
    ',metadata.name=a',
    ' metadata.name=a',
  ],
  ...[
    'metadata.name=A',
    'metadata.name=a b',
    'metadata.name=a\\,b',
    'metadata.name=a\\x',
    'metadata.name!=a,metadata.name!=b',
    '!metadata.name',
    'a,b',
  ],
];

const cases: Case[] = [
  {
    name: 'labels',
    steps: [...ready, ...LABELS.map((text) => ({ path: `${NETWORKS}?labelSelector=${encodeURIComponent(text)}` }))],
  },
  {
    name: 'fields',
    steps: [
      ...ready,
      ...FIELDS.map((text) => ({
        path: `${NETWORKS}?fieldSelector=${encodeURIComponent(text).replaceAll('%7B', '{').replaceAll('%7D', '}')}`,
      })),
    ],
  },
  {
    name: 'fields-across-namespaces',
    steps: [
      ...ready,
      ...['metadata.name=a', 'metadata.namespace={ns}', 'metadata.name=a,metadata.namespace=other'].map((text) => ({
        path: `${ALL_NETWORKS}?labelSelector=of={id}&fieldSelector=${encodeURIComponent(text).replaceAll('%7B', '{').replaceAll('%7D', '}')}`,
      })),
    ],
  },
  {
    name: 'both',
    steps: [
      ...ready,
      { path: `${NETWORKS}?labelSelector=app&fieldSelector=metadata.name%3Da` },
      { path: `${NETWORKS}?labelSelector=!app&fieldSelector=metadata.name%3Da` },
      { path: `${NETWORKS}?labelSelector=app&labelSelector=!app` },
      { path: `${NETWORKS}?labelSelector=&fieldSelector=` },
    ],
  },
];

export const selectors: CorpusClass = { name: 'selectors', cases };
