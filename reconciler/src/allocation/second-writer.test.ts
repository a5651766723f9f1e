/** Several processes hand out of one store, each with an index that follows it, later or sooner. */
import { expect, test } from 'vitest';
import { firstFree, parseSubnet, toAddress } from '../plan/addressing.ts';
import { ADDRESS, type Allocation, claimsOf } from '../plan/allocation.ts';
import { StoreFeed } from '../runtime/store-feed.ts';
import { MemoryStore } from '../store/memory.ts';
import type { Store, WatchBatch } from '../store/store.ts';
import { AllocationIndex } from './allocation-index.ts';
import { AllocationLane } from './lane.ts';

const NET = '0190a000-0000-7000-8000-00000000000a';
const HOSTS = ['a', 'b', 'c'];
const FIRST = 10 * 2 ** 24;

/** Numbers from 0 to 1 that are the same each time. */
function dice(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

async function turns(random: () => number, most: number): Promise<void> {
  for (let left = Math.floor(random() * most); left > 0; left--) await new Promise((resolve) => setImmediate(resolve));
}

/** The store as a process sees it that is some turns away from it. */
function afar(memory: MemoryStore, random: () => number): Store {
  async function* watch(prefix: string, from: number, signal: AbortSignal): AsyncGenerator<WatchBatch> {
    for await (const batch of memory.watch(prefix, from, signal)) {
      await turns(random, 4);
      yield batch;
    }
  }
  const commit: Store['commit'] = async (batch, onApplied) => {
    await turns(random, 3);
    return memory.commit(batch, onApplied);
  };
  return Object.assign(Object.create(memory) as Store, {
    ...{ watch, commit, list: memory.list.bind(memory), revision: () => memory.revision() },
  });
}

async function writer(memory: MemoryStore, random: () => number, signal: AbortSignal) {
  const store = afar(memory, random);
  const index = new AllocationIndex(undefined, random);
  const feed = new StoreFeed(store, [index]);
  await feed.load(signal);
  void feed.follow(signal, () => {});
  return { index, feed, lane: new AllocationLane(store, index, feed) };
}

const uid = (n: number) => `0190a000-0000-7000-8000-${n.toString(16).padStart(12, '0')}`;

function allocation(n: number, host: string, address: string): Allocation {
  const macAddress = `02:00:00:00:${(n >> 8).toString(16).padStart(2, '0')}:${(n & 255).toString(16).padStart(2, '0')}`;
  const interfaces = [{ name: 'eth0', l3Network: 'default/n', l3NetworkUid: NET, macAddress, addresses: [address] }];
  return {
    ...{ host, cpus: 1, memoryMiB: 64, interfaces },
    rootDisk: { id: `${uid(n)}.root`, imageUid: '', sha256: '', format: 'qcow2' },
  };
}

test.each([1, 2, 3, 4, 5, 6])(
  'all of three get what they ask for, and nothing is handed out twice: %s',
  async (seed) => {
    const random = dice(seed);
    const memory = new MemoryStore();
    const stop = new AbortController();
    const writers = await Promise.all([0, 1, 2].map(() => writer(memory, random, stop.signal)));
    const held = new Map<number, Allocation>();
    const make = async (n: number) => {
      const { lane } = writers[n % writers.length]!;
      const { result } = await lane.submit((index) => {
        const address = index.nextFree(ADDRESS, NET, FIRST) - FIRST;
        const wanted = allocation(n, HOSTS[n % HOSTS.length]!, `10.0.${address >> 8}.${address & 255}`);
        index.reserve(uid(n), claimsOf(wanted), []);
        return { preconditions: [], ops: [], result: wanted };
      });
      held.set(n, result);
    };
    const free = async (n: number) => {
      const { lane } = writers[Math.floor(random() * writers.length)]!;
      const allocation = held.get(n)!;
      held.delete(n);
      await lane.submit((index) => {
        index.release(uid(n), [claimsOf(allocation)], undefined);
        return { preconditions: [], ops: [], result: undefined };
      });
    };
    const lives = Array.from({ length: 60 }, async (_, n) => {
      await turns(random, 40);
      await make(n);
      await turns(random, 20);
      // Whoever frees knows of it by then: in the product it has read the object that says so.
      await Promise.all(writers.map(({ feed }) => feed.upToDate()));
      if (n % 3 > 0) await free(n);
      if (n % 3 > 1) await make(n);
    });
    await Promise.all(lives);

    const { entries } = await memory.list('/alloc/');
    const stored = new Map(entries.map(({ key, value }) => [key, value]));
    const wanted = [...held].flatMap(([n, { interfaces }]) => [
      [`/alloc/address/${NET}/${interfaces[0]!.addresses[0]}`, uid(n)],
      [`/alloc/mac/${interfaces[0]!.macAddress}`, uid(n)],
    ]);
    expect(new Set(wanted.map(([key]) => key)).size).toBe(2 * held.size);
    expect(held.size).toBe(40);
    expect([...stored].filter(([key]) => !key.startsWith('/alloc/host/')).sort()).toEqual(wanted.sort());
    for (const host of HOSTS) {
      const instances = [...held.values()].filter((allocation) => allocation.host === host).length;
      const use = { cpus: instances, memoryMiB: 64 * instances, instances };
      expect(JSON.parse(stored.get(`/alloc/host/${host}`)!)).toEqual(use);
    }
    for (const { index, feed } of writers) {
      await feed.upToDate();
      expect([...index.knownKeys()].sort()).toEqual([...stored.keys()].sort());
      for (const { key, revision } of entries) expect(index.knownRevision(key)).toBe(revision);
      let free = FIRST;
      while (stored.has(`/alloc/address/${NET}/10.0.${(free - FIRST) >> 8}.${free & 255}`)) free++;
      expect(index.nextFree(ADDRESS, NET, FIRST)).toBe(free);
    }
    stop.abort();
  },
);

test('what was written before the feed is ended, or while it is behind, is read anew; own commits stay', async () => {
  const memory = new MemoryStore({ watchBuffer: 3 });
  const stop = new AbortController();
  const { index, feed, lane } = await writer(memory, () => 0, stop.signal);
  const take = (n: number, address: string) =>
    lane.submit((taken) => {
      taken.claim(ADDRESS, `${NET}/${address}`, uid(n));
      return { preconditions: [], ops: [], result: undefined };
    });
  await take(1, '10.0.0.1');
  // In one turn, so that the watch cannot keep up.
  const key = (n: number) => `/alloc/address/${NET}/10.0.0.${n}`;
  for (let n = 2; n < 20; n++)
    void memory.commit({ preconditions: [], ops: [{ type: 'put', key: key(n), value: uid(n) }] });
  void memory.commit({ preconditions: [], ops: [{ type: 'delete', key: key(5) }] });
  await take(20, '10.0.0.20');
  await feed.upToDate();
  expect(index.nextFree(ADDRESS, NET, FIRST + 1) - FIRST).toBe(5);
  expect([...index.knownKeys()].length).toBe(19);
  expect(index.holderOf(ADDRESS, `${NET}/10.0.0.20`)).toBe(uid(20));
  await memory.commit({ preconditions: [], ops: [{ type: 'delete', key: key(20) }] });
  await feed.upToDate();
  expect(index.holderOf(ADDRESS, `${NET}/10.0.0.20`)).toBeUndefined();
  stop.abort();
});

test('several processes choose free addresses apart, and meet seldom; one by itself takes the lowest', async () => {
  const memory = new MemoryStore();
  const random = dice(7);
  const stop = new AbortController();
  const subnet = parseSubnet('n', { cidr: '10.0.0.0/16' });
  let conflicts = 0;
  const commit = memory.commit.bind(memory);
  memory.commit = (batch, onApplied) =>
    commit(batch, onApplied).catch((error) => {
      conflicts++;
      throw error;
    });
  const take = ({ lane }: Awaited<ReturnType<typeof writer>>, n: number) =>
    lane.submit((index) => {
      const free = firstFree(subnet, (from) => index.nextFree(ADDRESS, NET, from), undefined, index.searchFrom)!;
      index.claim(ADDRESS, `${NET}/${toAddress(free)}`, uid(n));
      return { preconditions: [], ops: [], result: free - FIRST };
    });
  const one = await writer(memory, random, stop.signal);
  for (let n = 1; n <= 5; n++) expect((await take(one, n)).result).toBe(n);

  const all = [one, await writer(memory, random, stop.signal), await writer(memory, random, stop.signal)];
  let n = 5;
  const takeMany = (writer: (typeof all)[number]) => async () => {
    for (let left = 40; left > 0; left--) await take(writer, ++n);
  };
  await Promise.all(all.map((each) => takeMany(each)()));
  // Until each has seen that others choose, too.
  expect(conflicts).toBeLessThan(10);
  expect((await memory.list('/alloc/')).entries).toHaveLength(5 + 3 * 40);
  stop.abort();
});
