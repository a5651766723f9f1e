import { image, kinds } from '@plumb/schemas';
import { expect, test } from 'vitest';
import type { Reader } from '../runtime/reader.ts';
import { boundedContext, boundedRules, readsOf } from './bounds.ts';
import type { Context } from './controller.ts';
import { kindModules } from './index.ts';
import type { KindModule } from './kind-module.ts';

const inNothing = {
  get: () => undefined,
  byUid: () => ({ key: '/objects/hosts//h', kind: { plural: 'hosts' } }),
  list: () => [],
  referrers: () => [{ key: '/objects/instances/default/i', kind: { plural: 'instances' } }],
} as unknown as Reader;

const made: KindModule = {
  kind: image,
  watches: [
    { source: 'object', of: 'Zone', when: 'one changed', wake: () => ['/objects/images//own', '/objects/hosts//h'] },
  ],
  writes: [],
  controller: () => ({ name: 'made', concurrency: 1, reconcile: async () => undefined }),
};

test('every kind has a module, and every rule says when it wakes', () => {
  expect(kindModules.map(({ kind }) => kind.kind).sort()).toEqual(kinds.map(({ kind }) => kind).sort());
  for (const { watches } of kindModules) for (const { when } of watches) expect(when).not.toBe('');
});

test('a kind reads itself, what it refers to, what refers to it, and what wakes it', () => {
  expect([...readsOf(made)].sort()).toEqual(['Image', 'Instance', 'Zone']);
  expect([...readsOf({ ...made, alsoReads: [{ kind: 'Host', because: 'of a reason' }] })]).toContain('Host');
});

test('whatever way it reads another kind, it is told', () => {
  const breaches: string[] = [];
  const { read } = boundedContext(made, { read: inNothing } as Context, (what) => breaches.push(what));
  read.get('/objects/zones//home');
  read.list('images');
  expect([...read.referrers('/objects/images//tiny')]).toHaveLength(1);
  expect(breaches).toEqual([]);
  read.get('/objects/hosts//h');
  read.list('l2networks');
  read.byUid('u');
  expect([...read.referrers('/objects/l3networks//n')]).toHaveLength(1);
  const other = (plural: string) => `the module of Image reads ${plural}, which it does not declare`;
  expect(breaches).toEqual(['hosts', 'l2networks', 'hosts', 'l3networks'].map(other));
});

test('a rule that wakes another kind is told', () => {
  const breaches: string[] = [];
  const [rule] = boundedRules(made, (what) => breaches.push(what)).watches;
  expect([...rule!.wake({} as never, {} as Context)]).toEqual(['/objects/images//own', '/objects/hosts//h']);
  expect(breaches).toEqual(['a rule of Image wakes /objects/hosts//h']);
});
