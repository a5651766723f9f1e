/** Tables and metadata alone. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { GROUP, made, NETWORKS } from '../subjects.ts';

const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const cases: Case[] = [
  {
    name: 'lists-and-objects',
    steps: [
      made('a'),
      made('b'),
      ...['', 'None', 'Metadata', 'Object', 'Bogus'].flatMap((include): Ask[] => [
        { path: `${NETWORKS}${include ? `?includeObject=${include}` : ''}`, headers: TABLE },
        { path: `${NETWORKS}/a${include ? `?includeObject=${include}` : ''}`, headers: TABLE },
      ]),
      { path: `${NETWORKS}?limit=1`, headers: TABLE },
      { path: `${NETWORKS}?labelSelector=none`, headers: TABLE },
      { path: `${NETWORKS}/none`, headers: TABLE },
    ],
  },
  {
    name: 'columns',
    steps: ['zones', 'hosts', 'images', 'instances', 'l2networks', 'instanceofferings', 'changesets'].map((plural) => ({
      path: `${GROUP}/${plural}?labelSelector=none`,
      headers: TABLE,
    })),
  },
  {
    name: 'of-writes',
    steps: [
      {
        method: 'POST',
        path: NETWORKS,
        headers: TABLE,
        body: {
          apiVersion: 'plumb.dev/v1',
          kind: 'L3Network',
          metadata: { name: 'a' },
          spec: { l2Network: 'lan', ipv4: { cidr: '10.0.0.0/24' } },
        },
      },
      {
        method: 'PATCH',
        path: `${NETWORKS}/a`,
        headers: { ...TABLE, 'content-type': 'application/merge-patch+json' },
        body: { metadata: { labels: { a: 'b' } } },
      },
      { method: 'DELETE', path: `${NETWORKS}/a`, headers: TABLE },
    ],
  },
  {
    name: 'metadata-alone',
    steps: [
      made('a'),
      ...['PartialObjectMetadata', 'PartialObjectMetadataList'].flatMap((as): Ask[] => {
        const headers = { accept: `application/json;as=${as};v=v1;g=meta.k8s.io` };
        return [
          { path: NETWORKS, headers },
          { path: `${NETWORKS}/a`, headers },
          { path: `${NETWORKS}?limit=1`, headers },
          {
            method: 'PATCH',
            path: `${NETWORKS}/a`,
            headers: { ...headers, 'content-type': 'application/merge-patch+json' },
            body: { metadata: { labels: { a: as } } },
          },
          { method: 'DELETE', path: `${NETWORKS}/a?dryRun=All`, headers },
        ];
      }),
    ],
  },
];

export const tables: CorpusClass = { name: 'tables', cases };
