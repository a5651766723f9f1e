/** Another process writes to the same store while instances are made: what it takes, frees and begins is followed. */
import type { Instance } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encodeFlow, type FlowRecord } from '../../flow/record.ts';
import { ConflictError } from '../../store/errors.ts';
import { keys } from '../../store/keys.ts';
import type { Op } from '../../store/store.ts';
import { at, condition, instanceSpec, makeEstate } from '../testing/estate.ts';
import { type Rig, startRig } from '../testing/rig.ts';

let rig: Rig;
let network: string;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
  network = (await rig.ready('L3Network', 'lab')).metadata.uid;
});

afterEach(() => rig.stop());

const uid = (n: number) => `0190a000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

/** Writes what `change` makes of the record at the key, as often as somebody else was faster. */
async function change(key: string, make: (value: string | undefined) => string | undefined): Promise<void> {
  for (;;)
    try {
      const entry = await rig.store.get(key);
      const value = make(entry?.value);
      const op: Op = value === undefined ? { type: 'delete', key } : { type: 'put', key, value };
      await rig.store.commit({ preconditions: [{ key, revision: entry?.revision ?? 0 }], ops: [op] });
      return;
    } catch (error) {
      if (!(error instanceof ConflictError)) throw error;
    }
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test('what it takes, gives back, writes and removes while they are made stops none of them', async () => {
  const names = Array.from({ length: 40 }, (_, n) => `web-${n}`);
  const taken = new Set<string>();
  const { value } = (await rig.store.get(keys.object('instanceofferings', undefined, 'small')))!;
  const offering = value.replace('"name":"small"', '"name":"other"').replace(/"uid":"[^"]*"/, `"uid":"${uid(98)}"`);
  let writes = true;
  /** Always on the address that is chosen next, and on the one host. */
  const takes = (async () => {
    for (let n = 0; writes; n++) {
      const held = new Set((await rig.keys(keys.address(network, ''))).map((key) => key.split('/').at(-1)));
      let last = 10;
      while (held.has(`10.20.0.${last}`)) last++;
      const key = keys.address(network, `10.20.0.${last}`);
      await rig.store
        .commit({ preconditions: [{ key, revision: 0 }], ops: [{ type: 'put', key, value: uid(n) }] })
        .then(() => taken.add(key))
        .catch(() => undefined);
      await change(keys.hostAllocation('host-1'), (text) => {
        const { cpus = 0, memoryMiB = 0, instances = 0 } = text === undefined ? {} : JSON.parse(text);
        return JSON.stringify({ cpus, memoryMiB: memoryMiB + (n % 2 ? -1 : 1), instances });
      });
      if (taken.size > 6)
        for (const key of taken) {
          await change(key, () => undefined);
          taken.delete(key);
        }
      await turn();
    }
  })();
  /** Objects are declared otherwise, come and go; flows are written anew as they are, and there is one of nobody. */
  const edits = (async () => {
    const stranger = keys.flow(uid(99));
    for (let n = 0; writes; n++) {
      const name = names[n % names.length]!;
      const labels = { n: `${n}` };
      if (rig.get('Instance', name))
        await rig.edit('Instance', name, ({ metadata }) => void Object.assign(metadata, { labels })).catch(() => {});
      const other = keys.object('instanceofferings', undefined, 'other');
      await change(other, (text) => (text === undefined ? offering : undefined));
      await change(stranger, (text) => (text === undefined ? 'no flow' : undefined));
      for (const key of await rig.keys('/flows/')) if (key !== stranger) await change(key, (text) => text);
      await turn();
    }
    await change(stranger, () => undefined);
  })();
  for (const name of names) {
    await rig.create('Instance', name, instanceSpec());
    await turn();
  }
  const made = (await Promise.all(names.map((name) => rig.ready('Instance', name)))) as Instance[];
  writes = false;
  await Promise.all([takes, edits]);

  const addresses = made.map(({ status }) => status!.interfaces![0]!.addresses[0]!);
  expect(new Set(addresses).size).toBe(names.length);
  for (const [n, { metadata }] of made.entries())
    expect((await rig.store.get(keys.address(network, addresses[n]!)))?.value).toBe(metadata.uid);
  const use = JSON.parse((await rig.store.get(keys.hostAllocation('host-1')))!.value);
  expect(use).toMatchObject({ cpus: 40, instances: 40 });
  expect(await rig.keys('/flows/')).toEqual([]);
  expect(rig.context.holdings.on('host-1').sort()).toEqual(made.map(({ metadata }) => metadata.uid).sort());

  for (const name of names) await rig.remove('Instance', name);
  await Promise.all(names.map((name) => rig.gone('Instance', name)));
  expect((await rig.keys(keys.address(network, ''))).sort()).toEqual([...taken].sort());
  expect(rig.context.holdings.on('host-1')).toEqual([]);
  expect(rig.errors.filter((error) => !error.includes('Conflict'))).toEqual([]);
});

test('what asked for an address that it held gets it when it gives the address back', async () => {
  const key = keys.address(network, '10.20.0.11');
  await change(key, () => uid(1));
  await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
  expect(condition(await rig.stalled('Instance', 'web-0'), 'Ready')!.reason).toBe('DuplicateAddress');
  await change(key, () => undefined);
  expect((await rig.ready('Instance', 'web-0')).status).toMatchObject({ host: 'host-1' });
});

test('what finds no room since it holds all of a host gets it when it lets go', async () => {
  await rig.create('InstanceOffering', 'large', { cpus: 1, memoryMiB: 2048 });
  const key = keys.hostAllocation('host-1');
  await change(key, () => JSON.stringify({ cpus: 1, memoryMiB: 1_000_000, instances: 1 }));
  await rig.create('Instance', 'web-0', instanceSpec({ offering: 'large' }));
  await rig.until('Instance', 'web-0', (o) => condition(o, 'Ready')?.reason === 'NoCapacity');
  await change(key, () => undefined);
  await rig.ready('Instance', 'web-0');
});

test('an instance that it has made holds what its status says, and nothing any more when it has removed it', async () => {
  await rig.create('Instance', 'web-0', instanceSpec());
  const ours = (await rig.ready('Instance', 'web-0')) as Instance;
  const theirs: Instance = structuredClone(ours);
  Object.assign(theirs.metadata, { name: 'web-1', uid: uid(1), resourceVersion: undefined });
  Object.assign(theirs.status!, { host: 'host-2', rootDisk: { ...theirs.status!.rootDisk, id: `${uid(1)}.root` } });
  const key = keys.object('instances', 'default', 'web-1');
  await change(key, () => JSON.stringify(theirs));
  await rig.until('Instance', 'web-1', (o) => o !== undefined);
  const { holdings } = rig.context;
  expect(holdings.on('host-2')).toEqual([uid(1)]);
  expect(holdings.usesNetwork('host-2', network)).toBe(true);
  expect([...holdings.hostsOfNetwork(network)].sort()).toEqual(['host-1', 'host-2']);

  await change(key, () => undefined);
  await rig.until('Instance', 'web-1', (o) => o === undefined);
  expect(holdings.on('host-2')).toEqual([]);
  expect([...holdings.hostsOfNetwork(network)]).toEqual(['host-1']);
});

test('a flow that it has written is known, with what it holds, and so is its end; own flows are not read again', async () => {
  // Nothing is begun for it: what it refers to is not there.
  const { uid } = (await rig.create('Instance', 'web-0', instanceSpec({ offering: 'later' }))).metadata;
  const { journal, holdings } = rig.context;
  const rootDisk = { id: `${uid}.root`, imageUid: '', sha256: 'a'.repeat(64), format: 'qcow2' } as const;
  const held = { host: 'host-3', cpus: 1, memoryMiB: 128, interfaces: [], rootDisk };
  const record: FlowRecord = {
    ...{
      key: keys.object('instances', 'default', 'web-0'),
      kind: 'Instance',
      uid,
      purpose: 'update',
      generation: 1,
      direction: 'failed',
    },
    ...{ plan: { version: 2, steps: [] }, held: [held], inputs: 'of another', startedAt: 1 },
  };
  const reached = () => rig.cache.shows(rig.store.revision());
  await change(keys.flow(uid), () => encodeFlow(record));
  await reached();
  expect(journal.get(uid)?.record).toEqual(record);
  expect(journal.isResumed(uid)).toBe(true);
  expect(holdings.hostsOf(uid)).toEqual(new Set(['host-3']));
  await change(keys.flow(uid), () => undefined);
  await reached();
  expect(journal.get(uid)).toBeUndefined();
  expect(holdings.hostsOf(uid)).toEqual(new Set());

  await change(keys.flow(uid), () => 'no flow');
  await reached();
  expect(journal.unreadable(uid)).toContain('is not JSON');
  expect(rig.cache.poisoned.hasRecord(keys.flow(uid))).toBe(true);
  await change(keys.flow(uid), () => undefined);
  await reached();
  expect(journal.knows(uid)).toBe(false);
  expect(rig.cache.poisoned.hasRecord(keys.flow(uid))).toBe(false);

  const ours = await journal.turn({ ...record, held: [] });
  await reached();
  expect(journal.get(uid)).toBe(ours);
  expect(journal.isResumed(uid)).toBe(false);
});
