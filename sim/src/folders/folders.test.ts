/** Data folders of old versions, each with flows half done, are opened by the server of today. */
import type { Instance } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { readEstate, ready } from '../oracle/estate.ts';
import { estateProblems } from '../oracle/settled.ts';
import { entriesOf, keptFolders, type Opened, openFolder, unpack } from './open.ts';
import { type Scene, scenes } from './scenario.ts';
import { Rules } from './unruly.ts';

const stuck = scenes.filter(({ until }) => until === 'Stuck');

test('the folders of 0.1, of the last commit whose plans say thing, and of 0.2 are kept, with what changed since', () => {
  expect(keptFolders().sort()).toEqual(['034333f', '1637b45', '537636e']);
  for (const commit of ['034333f', '537636e']) {
    using unpacked = unpack(commit);
    const entries = entriesOf(unpacked.store);
    const at = (root: string) => [...entries].filter(([key]) => key.startsWith(root)).map(([, { value }]) => value);
    expect(at('/flows/').filter((text) => text.includes('"thing":') && text.includes('"version":1')).length).toBe(
      at('/flows/').filter((text) => !text.includes('"direction":"failed"')).length,
    );
    expect(at('/deleted/').filter((text) => !text.includes('"hosts"'))).toHaveLength(1);
    expect(at('/changesets/')).toEqual([expect.stringContaining('"direction":"back"')]);
  }
});

test.each(keptFolders())(
  'the data folder of %s: it opens, everything settles, no guest is restarted',
  async (commit) => {
    using unpacked = unpack(commit);
    const before = readEstate({ entries: entriesOf(unpacked.store) });
    const uidOf = (name: string) => unpacked.uids.get(name)!;
    // The folder holds what it is kept for.
    const directions = new Set(before.flows.map(({ purpose, direction }) => `${purpose} ${direction}`));
    expect([...directions].sort()).toEqual(
      expect.arrayContaining(
        ['create', 'update'].flatMap((p) => [`${p} back`, `${p} failed`, `${p} forward`]).concat('delete forward'),
      ),
    );
    expect(before.flows.filter((flow) => flow.stuck)).toHaveLength(stuck.length);

    // What was stuck still is as long as its cause is there.
    const rules = new Rules();
    for (const { name, made, after } of stuck)
      rules.add({ ...(made ?? after!.hosts!).at(-1)!, id: name, owner: uidOf(name) });
    await using opened = await openFolder(unpacked, rules);
    const reasonOf = (name: string) => readyOf(opened, name)?.reason;
    await expect.poll(() => stuck.filter(({ name }) => rules.get(name)!.met === 0)).toEqual([]);
    await expect.poll(() => stuck.filter(({ name }) => reasonOf(name) !== 'Stuck')).toEqual([]);
    for (const { name } of stuck) rules.remove(name);

    await expect.poll(() => wrong(opened), { timeout: 50_000, interval: 250 }).toEqual([]);
    const { disk, machines } = opened.judged();
    const now = readEstate(disk);
    for (const { name, ends, boots, after } of scenes) {
      const uid = uidOf(name);
      const was = before.byUid.get(uid) as Instance;
      const is = now.byUid.get(uid) as Instance | undefined;
      const runs = [...machines.values()].filter((machine) => machine.resources().has(`domain/${uid}`));
      const seen = {
        end:
          is === undefined ? 'gone' : ready(is)!.status === 'True' ? 'Ready' : isStalled(is) ? 'failed' : 'not settled',
        domains: runs.length,
        boots: [...opened.hosts.values()].reduce((sum, host) => sum + host.bootsOf(uid), 0),
        spec: is && JSON.stringify(is.spec),
      };
      const exists = ends === 'Ready' || (ends === 'failed' && after !== undefined);
      const spec = ends === 'gone' ? undefined : JSON.stringify(was.spec);
      expect(seen, name).toEqual({ end: ends, domains: exists ? 1 : 0, boots, spec });
      // What it held before, it has: addresses, MACs and host.
      if (exists && was.status?.host) {
        expect(is!.status!.host, name).toBe(was.status.host);
        expect(is!.status!.interfaces, name).toEqual(expect.arrayContaining(was.status.interfaces!));
      }
    }
    // Every host has told what lives there since: records of deletions have done their work, those of before, too.
    const deleted = () => [...opened.judged().disk.entries.keys()].filter((key) => key.startsWith('/deleted/'));
    await expect.poll(deleted).toEqual([]);
    // Nothing is left of what is gone, and nothing is set aside.
    expect(now.hosts.flatMap(({ status }) => status?.orphans ?? [])).toEqual([]);
    expect((await opened.client.send('GET', '/apis/plumb.dev/v1/poisoned')).items).toEqual([]);
    for (const object of before.objects.values()) {
      const scene = scenes.find(({ name }) => name === object.metadata.name);
      if (scene?.ends !== 'gone') expect(now.byUid.has(object.metadata.uid), object.metadata.name).toBe(true);
    }
  },
);

function readyOf(opened: Opened, name: string) {
  const { instances } = readEstate(opened.judged().disk);
  const instance = instances.find(({ metadata }) => metadata.name === name);
  return instance && ready(instance);
}

/** What is not as it must be yet, with scenes that have not come to their end. */
function wrong(opened: Opened): string[] {
  const judged = opened.judged();
  const { instances } = readEstate(judged.disk);
  const open = scenes.filter((scene: Scene) => {
    const instance = instances.find(({ metadata }) => metadata.name === scene.name);
    if (scene.ends === 'gone') return instance !== undefined;
    return !instance || (scene.ends === 'Ready' ? ready(instance)?.status !== 'True' : !isStalled(instance));
  });
  return [...open.map(({ name, ends }) => `${name} is not ${ends}`), ...estateProblems(judged)];
}

function isStalled({ status }: Instance): boolean {
  return status?.conditions?.some(({ type, status }) => type === 'Stalled' && status === 'True') ?? false;
}
