/** Accidents: a commit from which something is missing. Nothing is deleted before a person says so. */

import { afterEach, expect, test } from 'vitest';
import type { RenderedObject } from '../../git/look.ts';
import { approvePrune } from './person.ts';
import { type GitRig, imageOf, offeringOf, put, sourceSpec, startGitRig, zoneOf, zones } from './testing/git-rig.ts';

let git: GitRig;
afterEach(() => git.stop());

const instance: RenderedObject = {
  ...{ apiVersion: 'plumb.dev/v1', kind: 'Instance', metadata: { name: 'web-0' } },
  spec: { zone: 'z0', offering: 'o', image: 'i', interfaces: [{ name: 'eth0', l3Network: 'lab' }] },
};
const secret: RenderedObject = { apiVersion: 'v1', kind: 'Secret', metadata: { name: 's' }, data: { a: 'YQ==' } };
const project: RenderedObject = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'team' } };
const source: RenderedObject = {
  ...{ apiVersion: 'plumb.dev/v1', kind: 'GitSource', metadata: { name: 'other' } },
  spec: { url: 'https://git.example.org/other.git', suspend: true },
};

interface Accident {
  before: RenderedObject[];
  after: RenderedObject[];
  descends?: boolean;
  /** Of the spec of the source. */
  edit?: object;
  because: RegExp;
}

const many = zones(60);
const fewer = zones(57);
const accidents: Record<string, Accident> = {
  'an empty render': { before: many, after: [], because: /declares nothing at all/ },
  'an empty render of one object': { before: zones(1), after: [], because: /declares nothing at all/ },
  'another path': { before: many, after: fewer, edit: { path: 'elsewhere' }, because: /path is another than before/ },
  'another ref': { before: many, after: fewer, edit: { ref: 'old' }, because: /ref or path is another/ },
  'another repository': {
    before: many,
    after: fewer,
    edit: { url: 'https://x.example.org/y' },
    because: /repository, ref/,
  },
  'a forced push': { before: many, after: fewer, descends: false, because: /history was changed/ },
  'eleven of many': { before: zones(300), after: zones(289), because: /more than 10 objects would go/ },
  'more than a tenth': { before: many, after: zones(53), because: /more than a tenth/ },
  'one of five': { before: zones(5), after: zones(4), because: /more than a tenth/ },
  'an image': { before: [...many, imageOf('i')], after: many, because: /data would go with Image\/i/ },
  'an instance': { before: [...many, instance], after: many, because: /data would go with Instance\/default\/web-0/ },
  'a secret': { before: [...many, secret], after: many, because: /data would go with Secret\/default\/s/ },
  'a project': { before: [...many, project], after: many, because: /data would go with Namespace\/team/ },
  'another GitSource': {
    before: [...many, source],
    after: many,
    because: /data would go with GitSource\/default\/other/,
  },
};

async function applied(name: string): Promise<void> {
  await git.look(name);
}

test.each(Object.entries(accidents))('%s waits for a person', async (_, accident) => {
  const { before, after, descends = true, edit, because } = accident;
  git = await startGitRig();
  const { rig } = git;
  const first = git.push(before);
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await expect.poll(() => git.status().revision).toBe(first);
  const there = await rig.keys('/objects/');
  const second = git.push(after, { descends });
  if (edit) await rig.edit('GitSource', 'estate', (object) => void Object.assign(object.spec, edit));
  else await applied('estate');
  await expect.poll(() => git.status().revision).toBe(second);
  const pending = git.status().pendingPrune!;
  expect(pending.because).toMatch(because);
  // Whatever else is looked at or pushed: what waits goes on waiting.
  git.push([...after, zoneOf('new')]);
  await git.look();
  await expect.poll(() => rig.get('Zone', 'new')).toBeDefined();
  await git.look();
  await expect.poll(() => git.reason()).toMatch(/PruneNeedsApproval|Unhealthy|Progressing/);
  const now = await rig.keys('/objects/');
  expect(now).toEqual([...there, '/objects/zones//new'].sort());
  for (const key of there) expect((await git.store.get(key))!.value).not.toContain('deletionTimestamp');
});

test('what was approved goes, and nothing else', async () => {
  git = await startGitRig();
  const { rig } = git;
  git.push(zones(5));
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await rig.ready('GitSource', 'estate');
  git.push(zones(3));
  await git.look();
  await expect.poll(() => git.status().pendingPrune?.count).toBe(2);
  const { digest } = git.status().pendingPrune!;
  await expect(approvePrune(rig.context, 'default', 'estate', 'f'.repeat(32))).rejects.toMatchObject({
    reason: 'PruneChanged',
  });
  git.push(zones(2));
  await git.look();
  await expect.poll(() => git.status().pendingPrune?.count).toBe(3);
  await expect(approvePrune(rig.context, 'default', 'estate', digest!)).rejects.toMatchObject({
    reason: 'PruneChanged',
  });
  await approvePrune(rig.context, 'default', 'estate', git.status().pendingPrune!.digest!);
  await rig.ready('GitSource', 'estate');
  await expect.poll(() => rig.keys('/objects/zones/')).toEqual(['/objects/zones//z0', '/objects/zones//z1']);
  await expect.poll(() => git.status().inventory).toEqual(['Zone/z0', 'Zone/z1']);
  expect(git.status().pendingPrune).toBeUndefined();
});

test('a small deletion needs nobody; what is not its own alone stays; without prune nothing goes', async () => {
  git = await startGitRig();
  const { rig } = git;
  git.push(zones(40));
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await rig.ready('GitSource', 'estate');
  await rig.edit('Zone', 'z39', ({ metadata }) => {
    metadata.managedFields!.push({ ...metadata.managedFields![0]!, manager: 'terraform' });
  });
  git.push(zones(38));
  await git.look();
  await rig.gone('Zone', 'z38');
  await expect.poll(() => git.status().inventory?.length).toBe(38);
  expect(rig.get('Zone', 'z39')?.metadata.deletionTimestamp).toBeUndefined();
  await rig.edit('GitSource', 'estate', ({ spec }) => void Object.assign(spec, { prune: false }));
  git.push(zones(36));
  await git.look();
  await expect.poll(() => git.status().inventory?.length).toBe(36);
  expect(rig.get('Zone', 'z37')?.metadata.deletionTimestamp).toBeUndefined();
});

test('projects, accounts and what is in them go the other way, and what nobody owns anything of goes, too', async () => {
  git = await startGitRig();
  const { rig, store } = git;
  const inside = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c', namespace: 'team' } };
  const account = { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a', namespace: 'team' } };
  const bare = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'bare' }, spec: {} };
  git.push([project, account, inside, bare]);
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await rig.ready('GitSource', 'estate');
  git.push([]);
  await git.look();
  await expect.poll(() => git.status().pendingPrune?.count).toBe(4);
  const order: string[] = [];
  const commit = store.commit.bind(store);
  store.commit = (batch, onApplied) => {
    for (const { type, key } of batch.ops) if (type === 'delete') order.push(key);
    return commit(batch, onApplied);
  };
  await approvePrune(rig.context, 'default', 'estate', git.status().pendingPrune!.digest!);
  await expect.poll(() => git.status().inventory).toEqual([]);
  expect(order.filter((key) => key.startsWith('/objects/'))).toEqual(
    expect.arrayContaining([
      '/objects/configmaps/team/c',
      '/objects/serviceaccounts/team/a',
      '/objects/namespaces//team',
    ]),
  );
  expect(order.indexOf('/objects/configmaps/team/c')).toBeLessThan(order.indexOf('/objects/serviceaccounts/team/a'));
  expect(order.indexOf('/objects/serviceaccounts/team/a')).toBeLessThan(order.indexOf('/objects/namespaces//team'));
  await rig.gone('Zone', 'bare');
});

test('a project in which something is stays', async () => {
  git = await startGitRig();
  const { rig } = git;
  git.push([...zones(2), project]);
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await rig.ready('GitSource', 'estate');
  await put(git.store, 'configmaps', 'team', 'mine', { apiVersion: 'v1', kind: 'ConfigMap' });
  git.push(zones(2));
  await git.look();
  await expect.poll(() => git.status().pendingPrune?.count).toBe(1);
  await approvePrune(rig.context, 'default', 'estate', git.status().pendingPrune!.digest!);
  await expect.poll(() => git.status().inventory?.length).toBe(2);
  expect(await git.store.get('/objects/namespaces//team')).toBeDefined();
});

test('what is declared again is not deleted', async () => {
  git = await startGitRig();
  const { rig } = git;
  git.push([...zones(3), offeringOf('a')]);
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await rig.ready('GitSource', 'estate');
  git.push(zones(3));
  await git.look();
  await expect.poll(() => git.status().pendingPrune?.count).toBe(1);
  git.push([...zones(3), offeringOf('a', 2)]);
  await git.look();
  await expect.poll(() => git.status().pendingPrune).toBeUndefined();
  await rig.ready('GitSource', 'estate');
  expect(rig.get('InstanceOffering', 'a')?.spec).toMatchObject({ cpus: 2 });
});

test('a render that fails deletes nothing, and the commit before stays', async () => {
  let fails = false;
  git = await startGitRig({
    look: async () => {
      if (fails) throw new Error('no');
      return { revision: 'a'.repeat(40), descends: true, objects: zones(3) };
    },
  });
  const { rig } = git;
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await rig.ready('GitSource', 'estate');
  fails = true;
  await git.look();
  await expect.poll(() => git.reason()).toBe('Internal');
  expect((await rig.keys('/objects/zones/')).length).toBe(3);
  expect(git.status().pendingPrune).toBeUndefined();
});

test('what is protected stays, also when a commit does not declare it any more', async () => {
  git = await startGitRig();
  const { rig } = git;
  const kept: RenderedObject = { ...zoneOf('kept'), spec: { deletionProtection: true } };
  const first = git.push([kept, ...zones(30)]);
  await rig.create('GitSource', 'estate', sourceSpec({ prune: true }));
  await expect.poll(() => git.status().revision).toBe(first);
  const second = git.push(zones(29));
  await git.look();
  await expect.poll(() => git.status().revision).toBe(second);
  await expect.poll(() => rig.get('Zone', 'z29')).toBeUndefined();
  await expect.poll(() => git.status().deleting).toBeUndefined();
  expect(rig.get('Zone', 'kept')).toBeDefined();
  expect(rig.get('Zone', 'kept')?.metadata.deletionTimestamp).toBeUndefined();
});
