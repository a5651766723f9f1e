/** A commit is all or nothing: whatever fails, and whenever the process ends. */
import { retryable } from '@plumb/schemas';
import { afterEach, describe, expect, test } from 'vitest';
import type { RenderedObject } from '../../git/look.ts';
import { keys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { decodeObject } from '../../store/object-codec.ts';
import type { Batch, Committed } from '../../store/store.ts';
import { type GitRig, offeringOf, sourceSpec, startGitRig, zoneOf } from './testing/git-rig.ts';

/** A store that a process writes to until it is killed: at its `left`-th commit, before that is made, or after it. */
class Mortal extends MemoryStore {
  left = Number.POSITIVE_INFINITY;
  when: 'before' | 'after' = 'before';
  commits = 0;

  override async commit(batch: Batch, onApplied?: (revision: number) => void): Promise<Committed> {
    this.commits++;
    if (this.left <= 0) throw retryable('StoreUnavailable', 'the process is dead');
    this.left--;
    if (this.left > 0) return super.commit(batch, onApplied);
    if (this.when === 'after') await super.commit(batch, onApplied);
    throw retryable('StoreUnavailable', 'the process is dead');
  }
}

let git: GitRig | undefined;
afterEach(() => git?.stop());

const AT_ONCE = { gitObjectsAtOnce: 3 };
const first = Array.from({ length: 8 }, (_, n) => offeringOf(`o${n}`, 1));
/** Changes of what is there, what is new, and labels alone. */
const second: RenderedObject[] = [
  ...Array.from({ length: 8 }, (_, n) => offeringOf(`o${n}`, 2)),
  ...Array.from({ length: 4 }, (_, n) => zoneOf(`z${n}`)),
  { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'c' }, data: { a: 'b' } },
];

async function declaredIn(store: MemoryStore): Promise<string[]> {
  const found: string[] = [];
  for (const plural of ['instanceofferings', 'zones', 'configmaps'])
    for (const entry of (await store.list(keys.kind(plural))).entries) {
      const { kind, metadata, spec } = decodeObject(entry);
      if (metadata.deletionTimestamp === undefined)
        found.push(`${kind}/${metadata.name}/${JSON.stringify(spec ?? {})}`);
    }
  return found.sort();
}

describe('when the process ends', () => {
  const moments = Array.from({ length: 9 }, (_, n) => n + 1).flatMap((left) => [
    [left, 'before'] as const,
    [left, 'after'] as const,
  ]);

  test.each(moments)('at commit %d, %s it is made', async (left, when) => {
    const store = new Mortal();
    git = await startGitRig({ store, limits: AT_ONCE });
    const was = git.push(first);
    await git.rig.create('GitSource', 'estate', sourceSpec());
    await git.rig.ready('GitSource', 'estate');
    for (const { metadata } of first) await git.rig.ready('InstanceOffering', metadata.name);
    const old = await declaredIn(store);
    const is = git.push(second);
    [store.left, store.when, store.commits] = [left, when, 0];
    await git.look();
    await expect.poll(() => store.commits).toBeGreaterThan(left);
    await git.stop();

    // The next process cannot reach the repository: it knows only what is written down.
    store.left = Number.POSITIVE_INFINITY;
    let reachable = false;
    git = await startGitRig({
      ...{ store, limits: AT_ONCE },
      look: async () => {
        if (!reachable) throw retryable('GitUnavailable', 'not now');
        return { revision: is, descends: true, objects: structuredClone(second) };
      },
    });
    await expect.poll(() => git!.reason()).toBe('GitUnavailable');
    expect(await store.list(keys.gitCommits)).toMatchObject({ entries: [] });
    const now = await declaredIn(store);
    const { revision, inventory = [] } = git.status();
    if (revision === was) {
      expect(now).toEqual(old);
      expect(inventory.length).toBe(first.length);
    } else {
      expect(revision).toBe(is);
      expect(now.length).toBe(second.length);
      expect(now.filter((one) => one.includes('"cpus":1'))).toEqual([]);
      expect(inventory.length).toBe(second.length);
    }
    reachable = true;
    await git.look();
    await git.rig.ready('GitSource', 'estate');
    expect((await declaredIn(store)).length).toBe(second.length);
    expect((await git.rig.keys(keys.gitCommits)).length).toBe(0);
  });
});

test('the moments above reach every part of a commit', async () => {
  const store = new Mortal();
  git = await startGitRig({ store, limits: AT_ONCE });
  git.push(first);
  await git.rig.create('GitSource', 'estate', sourceSpec());
  await git.rig.ready('GitSource', 'estate');
  for (const { metadata } of first) await git.rig.ready('InstanceOffering', metadata.name);
  const keysOf: string[][] = [];
  const commit = store.commit.bind(store);
  store.commit = (batch, onApplied) => {
    keysOf.push(batch.ops.map(({ key, type }) => (type === 'delete' ? `-${key}` : key)));
    return commit(batch, onApplied);
  };
  const is = git.push(second);
  await git.look();
  await expect.poll(() => git!.status().revision).toBe(is);
  const ours = keysOf.filter((some) => some.some((key) => key.includes('/git-commits/') || some.length > 1));
  const head = ours.findIndex((some) => some.some((key) => key.endsWith('/head')));
  const end = ours.findIndex((some) => some.some((key) => key.startsWith('-') && key.endsWith('/head')));
  // Parts of the record, its head, then at least five parts of three objects, and the end together with the status.
  expect(head).toBeGreaterThan(0);
  expect(end - head).toBeGreaterThanOrEqual(5);
  expect(ours[end]!.some((key) => key.includes('/gitsources/'))).toBe(true);
});

test('what fails half-way is put back at once, and what others have declared since stays theirs', async () => {
  const store = new MemoryStore();
  git = await startGitRig({ store, limits: AT_ONCE });
  git.push(first);
  const { rig } = git;
  await rig.create('GitSource', 'estate', sourceSpec());
  await rig.ready('GitSource', 'estate');
  const old = await declaredIn(store);
  const commit = store.commit.bind(store);
  let edited = false;
  store.commit = async (batch, onApplied) => {
    // Before the last part is written, somebody declares one of its objects.
    if (!edited && batch.ops.some(({ key }) => key.endsWith('/zones//z3'))) {
      edited = true;
      await rig.create('Zone', 'z3', { description: 'mine' });
    }
    return commit(batch, onApplied);
  };
  git.push(second);
  await git.look();
  await expect.poll(() => edited).toBe(true);
  await expect.poll(() => git!.status().revision).toBe('2'.padStart(40, '0'));
  await rig.ready('GitSource', 'estate');
  const now = await declaredIn(store);
  expect(now).not.toEqual(old);
  expect(now.length).toBe(second.length);
});

test('an atomic commit goes back when one of its objects cannot become Ready', async () => {
  git = await startGitRig();
  const { rig } = git;
  git.push(first);
  await rig.create('GitSource', 'estate', sourceSpec({ atomic: true }));
  await rig.ready('GitSource', 'estate');
  const old = await declaredIn(git.store as MemoryStore);
  // It waits for a project that never comes, for a second.
  const network = {
    kind: 'L3Network',
    metadata: { name: 'x', namespace: 'nowhere' },
    spec: { l2Network: 'y', ipv4: { cidr: '10.0.0.0/24', ranges: [] } },
  };
  const never: RenderedObject = {
    ...{ apiVersion: 'plumb.dev/v1', kind: 'ChangeSet', metadata: { name: 'never' } },
    spec: { objects: [network], deadlineSeconds: 1 },
  };
  const is = git.push([...second, never]);
  await git.look();
  await expect.poll(() => rig.get('ChangeSet', 'never')).toBeDefined();
  await expect.poll(() => git!.status().failedRevision).toBe(is);
  await expect.poll(() => git!.reason()).toMatch(/MemberStalled|CommitReturned/);
  await expect.poll(async () => await declaredIn(git!.store as MemoryStore)).toEqual(old);
  await rig.gone('ChangeSet', 'never');
  // It is not tried again; the next commit is.
  git.push(first);
  await git.look();
  await rig.ready('GitSource', 'estate');
});

describe('what others have changed', () => {
  const edit = (rig: GitRig['rig']) =>
    rig.edit('InstanceOffering', 'o0', (object) => {
      object.spec = { ...object.spec, cpus: 4 };
      object.metadata.managedFields!.push({
        ...{ manager: 'kubectl-edit', operation: 'Update', apiVersion: 'plumb.dev/v1', time: '2026-01-01T00:00:00Z' },
        ...{ fieldsType: 'FieldsV1', fieldsV1: { 'f:spec': { 'f:cpus': {} } } },
      });
      object.metadata.managedFields![0]!.fieldsV1 = { 'f:spec': { 'f:memoryMiB': {} } };
    });

  test('is made what the commit says', async () => {
    git = await startGitRig();
    git.push(first);
    await git.rig.create('GitSource', 'estate', sourceSpec());
    await git.rig.ready('GitSource', 'estate');
    await edit(git.rig);
    await git.look();
    await expect.poll(() => git!.rig.get('InstanceOffering', 'o0')?.spec).toMatchObject({ cpus: 1 });
    expect(git.status().history?.map(({ result }) => result)).toEqual(['Healed', 'Applied']);
  });

  test('is only reported where that is wanted, and known again to be as declared', async () => {
    git = await startGitRig();
    git.push(first);
    await git.rig.create('GitSource', 'estate', sourceSpec({ driftPolicy: 'Report' }));
    await git.rig.ready('GitSource', 'estate');
    await git.rig.edit('InstanceOffering', 'o0', (object) => void Object.assign(object.spec, { cpus: 4 }));
    await git.look();
    await expect.poll(() => git!.reason()).toBe('Drifted');
    expect(git.message()).toContain('InstanceOffering/o0');
    expect(git.rig.get('InstanceOffering', 'o0')?.spec).toMatchObject({ cpus: 4 });
    await git.rig.edit('InstanceOffering', 'o0', (object) => void Object.assign(object.spec, { cpus: 1 }));
    await git.look();
    await git.rig.ready('GitSource', 'estate');
  });

  test('and declare themselves is theirs: the whole commit waits, and says by whom', async () => {
    git = await startGitRig();
    git.push(first);
    await git.rig.create('GitSource', 'estate', sourceSpec());
    await git.rig.ready('GitSource', 'estate');
    await git.rig.edit('InstanceOffering', 'o0', ({ metadata }) => {
      metadata.managedFields = [{ ...metadata.managedFields![0]!, manager: 'terraform' }];
    });
    git.push(second);
    await git.look();
    await expect.poll(() => git!.reason()).toBe('OwnedByOthers');
    expect(git.message()).toContain('conflict with "terraform"');
    expect(await git.rig.keys('/objects/zones/')).toEqual([]);
  });
});

test('a commit waits for the sources that it depends on', async () => {
  git = await startGitRig();
  git.push(first);
  await git.rig.create('GitSource', 'estate', sourceSpec({ dependsOn: ['base'] }));
  await expect.poll(() => git!.reason()).toBe('DependencyNotReady');
  expect(await git.rig.keys('/objects/instanceofferings/')).toEqual([]);
  await git.rig.create('GitSource', 'base', sourceSpec());
  await git.rig.ready('GitSource', 'base');
  await git.rig.ready('GitSource', 'estate');
});

test('suspended, nothing is done; deleted, the objects stay', async () => {
  git = await startGitRig();
  git.push(first);
  await git.rig.create('GitSource', 'estate', sourceSpec({ suspend: true }));
  await expect.poll(() => git!.reason()).toBe('Suspended');
  expect(await git.rig.keys('/objects/instanceofferings/')).toEqual([]);
  await git.rig.edit('GitSource', 'estate', ({ spec }) => void Object.assign(spec, { suspend: false }));
  await git.rig.ready('GitSource', 'estate');
  await git.rig.remove('GitSource', 'estate');
  await git.rig.gone('GitSource', 'estate');
  expect((await git.rig.keys('/objects/instanceofferings/')).length).toBe(first.length);
});
