/** Options of every verb, with words that are known and that are not. */
import type { Ask, Case, CorpusClass } from '../case.ts';
import { made, NETWORKS, network } from '../subjects.ts';

const LONG = 'x'.repeat(129);
const OPTIONS: Record<string, string[]> = {
  dryRun: ['All', 'all', 'true', '', 'All&dryRun=All', 'All&dryRun=x'],
  fieldValidation: ['Strict', 'Warn', 'Ignore', 'strict', ''],
  fieldManager: ['me', '', 'x'.repeat(128), LONG, '%00', 'a%20b', '%C3%A9'],
  force: ['true', 'false', '', 'x'],
  propagationPolicy: ['Background', 'Foreground', 'Orphan', 'Bogus', ''],
  gracePeriodSeconds: ['0', '5', '-1', 'abc', '', '1.5', '99999999999999999999'],
  orphanDependents: ['true', 'false', 'x', ''],
  ignoreStoreReadErrorWithClusterBreakingPotential: ['true', 'false'],
  resourceVersion: ['', '0', '1', 'abc'],
  pretty: ['true', '1', ''],
  timeout: ['1s', 'abc', '0', '-1s', ''],
  timeoutSeconds: ['1', 'abc'],
  limit: ['1', 'abc'],
  bogus: ['1'],
  'dry-run': ['All'],
};

type Write = (query: string) => Ask | Ask[];
const VERBS: Record<string, Write> = {
  create: (query) => ({ method: 'POST', path: `${NETWORKS}${query}`, body: network('made') }),
  update: (query) => [
    { path: `${NETWORKS}/a`, save: 'now', setUp: true },
    {
      method: 'PUT',
      path: `${NETWORKS}/a${query}`,
      body: network('a', { labels: { by: 'put' }, resourceVersion: '{now.rv}' }),
    },
  ],
  patch: (query) => ({
    method: 'PATCH',
    path: `${NETWORKS}/a${query}`,
    headers: { 'content-type': 'application/merge-patch+json' },
    body: { metadata: { labels: { by: 'patch' } } },
  }),
  delete: (query) => ({ method: 'DELETE', path: `${NETWORKS}/a${query}` }),
  get: (query) => ({ path: `${NETWORKS}/a${query}` }),
};

const CLEANED: Ask = { method: 'DELETE', path: `${NETWORKS}/made` };
const FREED: Ask = {
  method: 'PATCH',
  path: `${NETWORKS}/made`,
  headers: { 'content-type': 'application/merge-patch+json' },
  body: { metadata: { finalizers: null } },
};

/** Each option on each verb; what it did is read afterwards. */
const each: Case[] = Object.entries(VERBS).flatMap(([verb, write]) =>
  Object.entries(OPTIONS).map(
    ([option, values]): Case => ({
      name: `${verb}-${option}`,
      steps: values.flatMap((value, i): Ask[] => [
        ...(i === 0 ? [made('a')] : []),
        ...[write(`?${option}=${value}`)].flat(),
        ...(verb === 'create' ? [CLEANED, FREED] : []),
        ...(verb === 'get' ? [] : [{ path: NETWORKS }]),
      ]),
    }),
  ),
);

const unknown = { l2Network: 'lan', ipv4: { cidr: '10.0.0.0/24', bogus: 1 }, bogus: { a: 1 } };
const levels: Case = {
  name: 'unknown-fields',
  steps: [
    made('a', {}, 'a'),
    ...['Strict', 'Warn', 'Ignore', undefined].flatMap((level): Ask[] => {
      const query = level === undefined ? '' : `&fieldValidation=${level}`;
      return [
        { method: 'POST', path: `${NETWORKS}?dryRun=All${query}`, body: network('made', {}, unknown) },
        {
          method: 'PUT',
          path: `${NETWORKS}/a?dryRun=All${query}`,
          body: network('a', { resourceVersion: '{a.rv}' }, unknown),
        },
        {
          method: 'PATCH',
          path: `${NETWORKS}/a?dryRun=All${query}`,
          headers: { 'content-type': 'application/merge-patch+json' },
          body: { spec: { bogus: 1 }, other: 2 },
        },
        {
          method: 'PATCH',
          path: `${NETWORKS}/a?dryRun=All${query}`,
          headers: { 'content-type': 'application/json-patch+json' },
          body: [{ op: 'add', path: '/spec/bogus', value: 1, what: 2 }],
        },
        { method: 'POST', path: `${NETWORKS}?dryRun=All${query}`, body: { ...network('made'), bogus: 1 } },
        {
          method: 'POST',
          path: `${NETWORKS}?dryRun=All${query}`,
          body: '{"apiVersion":"plumb.dev/v1","kind":"L3Network","metadata":{"name":"made"},"spec":{"l2Network":"a","l2Network":"b","ipv4":{"cidr":"10.0.0.0/24","cidr":"10.0.0.0/24"}}}',
        },
        {
          method: 'PATCH',
          path: `${NETWORKS}/a?dryRun=All${query}`,
          headers: { 'content-type': 'application/merge-patch+json' },
          body: '{"metadata":{"labels":{"a":"1","a":"2"}}}',
        },
      ];
    }),
  ],
};

export const options: CorpusClass = { name: 'options', cases: [...each, levels] };
