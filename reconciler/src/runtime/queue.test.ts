import { once } from 'node:events';
import { type AddressInfo, connect, createServer } from 'node:net';
import { expect, test } from 'vitest';
import { FakeClock, fakeRandom, settle } from './fake-clock.ts';
import { Metrics } from './metrics.ts';
import { BACKOFF_MS, type Requeue, WorkQueue } from './queue.ts';

/** A queue whose work the test ends by hand. */
function bench(concurrency = 2, draws: number[] = [1]) {
  const clock = new FakeClock(0);
  const started: string[] = [];
  const errors: string[] = [];
  const running = new Map<string, { resolve: (r?: Requeue) => void; reject: (e: unknown) => void }>();
  const queue = new WorkQueue({
    name: 'test',
    concurrency,
    clock,
    random: fakeRandom(...draws),
    process: (key) => {
      if (running.has(key)) throw new Error(`${key} is processed twice at the same time`);
      started.push(key);
      return new Promise<Requeue | undefined>((resolve, reject) => running.set(key, { resolve, reject }));
    },
    onError: (key, error) => errors.push(`${key}: ${(error as Error).message}`),
  });
  const end = async (key: string, outcome?: Requeue | Error) => {
    const work = running.get(key);
    if (!work) throw new Error(`${key} does not run`);
    running.delete(key);
    if (outcome instanceof Error) work.reject(outcome);
    else work.resolve(outcome);
    await settle();
  };
  return { clock, queue, started, errors, end };
}

test('a key added many times is processed once, and keys run in the order in which they came', async () => {
  const { queue, started, end } = bench(1);
  for (const key of ['a', 'b', 'a', 'c', 'b']) queue.add(key);
  expect(queue.depth).toBe(3);
  await settle();
  expect(started).toEqual(['a']);
  await end('a');
  await end('b');
  await end('c');
  expect(started).toEqual(['a', 'b', 'c']);
  expect([queue.depth, queue.inFlight, queue.processed]).toEqual([0, 0, 3]);
});

test('no more keys than places are processed at the same time', async () => {
  const { queue, started, end } = bench(2);
  for (const key of ['a', 'b', 'c']) queue.add(key);
  await settle();
  expect(started).toEqual(['a', 'b']);
  expect([queue.depth, queue.inFlight]).toEqual([1, 2]);
  await end('b');
  expect(started).toEqual(['a', 'b', 'c']);
});

test('a key added while it is processed is processed once more, after', async () => {
  const { queue, started, end } = bench(2);
  queue.add('a');
  await settle();
  queue.add('a');
  queue.add('a');
  await settle();
  expect(started).toEqual(['a']);
  await end('a');
  expect(started).toEqual(['a', 'a']);
  await end('a');
  expect(started).toEqual(['a', 'a']);
});

test('failures back off twofold up to the longest time, and a success forgets them', async () => {
  const { clock, queue, started, errors, end } = bench(1);
  queue.add('a');
  await settle();
  const waits: number[] = [];
  for (let failure = 0; failure < 12; failure++) {
    await end('a', new Error(`no ${failure}`));
    const ms = clock.nextIn ?? -1;
    waits.push(ms);
    await clock.advance(ms - 1);
    expect(started).toHaveLength(failure + 1);
    await clock.advance(1);
    expect(started).toHaveLength(failure + 2);
  }
  expect(waits).toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000]);
  expect(errors).toHaveLength(12);
  expect(errors[0]).toBe('a: no 0');
  expect(queue.retries).toBe(12);

  await end('a');
  queue.add('a');
  await settle();
  await end('a', new Error('again'));
  expect(clock.nextIn).toBe(BACKOFF_MS.base);
});

test('the backoff has full jitter', async () => {
  const { clock, queue, end } = bench(1, [0.5, 0.25]);
  queue.add('a');
  await settle();
  await end('a', new Error('no'));
  expect(clock.nextIn).toBe(25);
  await clock.advance(25);
  await end('a', new Error('no'));
  expect(clock.nextIn).toBe(25);
});

test('add ends a backoff wait, and does not forget the failures', async () => {
  const { clock, queue, started, end } = bench(1);
  queue.add('a');
  await settle();
  await end('a', new Error('no'));
  expect(queue.waiting).toBe(1);
  queue.add('a');
  await settle();
  expect(started).toEqual(['a', 'a']);
  expect(clock.timers).toBe(0);
  await end('a', new Error('no'));
  expect(clock.nextIn).toBe(100);
});

test('forget ends the retry', async () => {
  const { clock, queue, started, end } = bench(1);
  queue.add('a');
  await settle();
  await end('a', new Error('no'));
  queue.forget('a');
  await clock.advance(60_000);
  expect(started).toEqual(['a']);
  expect(queue.waiting).toBe(0);
});

test('a key that was added while it failed runs at once, with no second retry behind it', async () => {
  const { clock, queue, started, end } = bench(1);
  queue.add('a');
  await settle();
  queue.add('a');
  await end('a', new Error('no'));
  expect(started).toEqual(['a', 'a']);
  expect(clock.timers).toBe(0);
});

test('addAfter waits; of several delays the earliest counts', async () => {
  const { clock, queue, started } = bench(1);
  queue.addAfter('a', 1000);
  queue.addAfter('a', 300);
  queue.addAfter('a', 500);
  expect(clock.timers).toBe(1);
  await clock.advance(299);
  expect(started).toEqual([]);
  await clock.advance(1);
  expect(started).toEqual(['a']);
});

test('requeueAfterMs is a delay without failure', async () => {
  const { clock, queue, started, end } = bench(1);
  queue.add('a');
  await settle();
  await end('a', { requeueAfterMs: 700 });
  expect([clock.nextIn, queue.retries, queue.waiting]).toEqual([700, 0, 1]);
  await clock.advance(700);
  expect(started).toEqual(['a', 'a']);
});

test('an error thrown before the first await is a failure like any other', async () => {
  const clock = new FakeClock(0);
  const queue = new WorkQueue({
    name: 'throws',
    concurrency: 1,
    clock,
    random: fakeRandom(1),
    process: () => {
      throw new Error('at once');
    },
  });
  queue.add('a');
  await settle();
  expect([queue.retries, clock.nextIn]).toEqual([1, 50]);
});

test('stop waits for what runs and starts nothing more', async () => {
  const { clock, queue, started, end } = bench(1);
  queue.add('a');
  queue.add('b');
  queue.addAfter('c', 100);
  await settle();
  let stopped = false;
  const stop = queue.stop().then(() => {
    stopped = true;
  });
  await settle();
  expect(stopped).toBe(false);
  queue.add('d');
  await end('a', new Error('no'));
  await stop;
  await clock.advance(60_000);
  expect(started).toEqual(['a']);
  expect([queue.depth, queue.waiting, clock.timers]).toEqual([0, 0, 0]);
  await queue.stop();
});

test('idle costs nothing: no timer is set', async () => {
  const { clock, queue, end } = bench(1);
  queue.add('a');
  await settle();
  await end('a');
  expect(clock.timers).toBe(0);
});

test('metrics show the queue', async () => {
  const metrics = new Metrics();
  const { queue, end } = bench(1);
  queue.publish(metrics);
  queue.add('a');
  queue.add('b');
  await settle();
  const text = await metrics.text();
  expect(text).toContain('plumb_queue_depth{queue="test"} 1');
  expect(text).toContain('plumb_queue_in_flight{queue="test"} 1');
  await end('a', new Error('no'));
  expect(await metrics.text()).toContain('plumb_queue_retries_total{queue="test"} 1');
});

test('random adds, failures and delays never process a key twice at the same time and lose none', async () => {
  let seed = 1;
  const random = {
    next: () => {
      seed = (seed * 48271) % 2147483647;
      return seed / 2147483647;
    },
  };
  const clock = new FakeClock(0);
  const running = new Set<string>();
  const wanted = new Map<string, number>();
  const seen = new Map<string, number>();
  let version = 0;
  const queue = new WorkQueue({
    name: 'random',
    concurrency: 3,
    clock,
    random,
    process: async (key) => {
      expect(running.has(key)).toBe(false);
      expect(running.size).toBeLessThan(3);
      running.add(key);
      const saw = wanted.get(key) ?? 0;
      await new Promise<void>((resolve) => clock.after(random.next() * 20, resolve));
      running.delete(key);
      if (random.next() < 0.3) throw new Error('no');
      seen.set(key, saw);
    },
  });
  for (let step = 0; step < 500; step++) {
    const key = `k${Math.floor(random.next() * 10)}`;
    wanted.set(key, ++version);
    if (random.next() < 0.2) queue.addAfter(key, random.next() * 50);
    else queue.add(key);
    if (random.next() < 0.5) await clock.advance(random.next() * 10);
  }
  await clock.advance(3_600_000);
  expect(seen).toEqual(wanted);
  expect(clock.timers).toBe(0);
});

test('a long queue begins a part of it at a time, and streams and timers are served in between', async () => {
  const KEYS = 2000;
  let begun = 0;
  let inTurn = 0;
  let most = 0;
  const queue = new WorkQueue({
    name: 'test',
    concurrency: KEYS,
    clock: new FakeClock(0),
    random: fakeRandom(1),
    process: () => {
      begun++;
      most = Math.max(most, ++inTurn);
      for (const end = performance.now() + 0.05; performance.now() < end; );
      return new Promise(() => {});
    },
  });
  const server = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    const heard = once(socket, 'data').then(() => begun);
    const rung = new Promise<number>((resolve) => setTimeout(() => resolve(begun), 1));
    socket.write('x');
    for (let i = 0; i < KEYS; i++) queue.add(`${i}`);
    while (begun < KEYS) {
      inTurn = 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(await heard).toBeLessThan(KEYS);
    expect(await rung).toBeLessThan(KEYS);
    expect(most).toBeLessThanOrEqual(64);
    expect([queue.inFlight, queue.depth]).toEqual([KEYS, 0]);
  } finally {
    socket.destroy();
    server.close();
  }
});
