import type { LiveResource } from '@plumb/schemas';
import { beforeEach, expect, test } from 'vitest';
import { Ledger } from './ledger.ts';

function seed(id: string, drift: string[] = []): LiveResource<'seed'> {
  return { kind: 'seed', id, owner: id, spec: { instanceId: id, hostname: 'web', sshKeys: [] }, drift };
}

let ledger: Ledger;
let told: string[];
beforeEach(() => {
  ledger = new Ledger();
  told = [];
  ledger.listen((change) => {
    if (change.type === 'changed')
      told.push(`${change.resource.id}${change.resource.drift.map((text) => ` ${text}`).join('')}`);
    if (change.type === 'removed') told.push(`-${change.id}`);
  });
});
const survey = (...found: LiveResource[]) => ledger.survey(['seed'], async () => ({ resources: found }));

test('a survey tells what is new, what differs and what went, and nothing twice', async () => {
  await survey(seed('a'), seed('b'));
  await survey(seed('a'), seed('b'));
  expect(told).toEqual(['a', 'b']);
  await survey(seed('a', ['torn']));
  expect(told.slice(2)).toEqual(['a torn', '-b']);
  expect(ledger.list()).toEqual([seed('a', ['torn'])]);
});

test('a survey of some kinds says nothing of others', async () => {
  await survey(seed('a'));
  await ledger.survey(['disk'], async () => ({ resources: [] }));
  expect(ledger.list()).toEqual([seed('a')]);
});

test('what cannot be seen stays as it was last known', async () => {
  await survey(seed('a'), seed('b'));
  await ledger.survey(['seed'], async () => ({ resources: [], unseen: ['seed/a'] }));
  expect(told).toEqual(['a', 'b', '-b']);
  expect(ledger.list()).toEqual([seed('a')]);
});

test('what is worked on is left alone until the work has ended', async () => {
  await survey(seed('a'));
  await ledger.during({ kind: 'seed', id: 'a' }, () => survey());
  await ledger.during({ kind: 'seed', id: 'b' }, () => survey(seed('a'), seed('b', ['half made'])));
  expect(told).toEqual(['a']);
  await survey();
  expect(told).toEqual(['a', '-a']);
});

test('what changed under a survey is as the change said, not as the survey saw it before', async () => {
  await survey(seed('a'));
  const { promise, resolve } = Promise.withResolvers<LiveResource[]>();
  const looking = ledger.survey(['seed'], async () => ({ resources: await promise }));
  ledger.put(seed('b'));
  ledger.drop(seed('a'));
  resolve([seed('a')]);
  await looking;
  expect(ledger.list()).toEqual([seed('b')]);
  expect(told).toEqual(['a', 'b', '-a']);
});

test('a note tells only news; a put always', () => {
  ledger.put(seed('a'));
  ledger.note(seed('a'));
  ledger.note(seed('a', ['torn']));
  ledger.put(seed('a', ['torn']));
  expect(told).toEqual(['a', 'a torn', 'a torn']);
});
