/** The API past its capacity: real connections, limits made small, a disk that waits to be told. */
import http2 from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import type { MemoryStore } from '../store/memory.ts';
import { eventually, limits, start, stopLast } from './testing/loaded.ts';
import { type Answer, type ApiRig, manifests, V1 } from './testing/rig.ts';

const ZONES = `${V1}/zones`;
const OFFERINGS = `${V1}/instanceofferings`;
const PROJECT = `${V1}/namespaces/default`;

afterEach(stopLast);

/** Holds every commit back until it is let through. */
function gate(store: MemoryStore) {
  const commit = store.commit.bind(store);
  const held: (() => void)[] = [];
  const written: string[] = [];
  let open = false;
  store.commit = async (batch) => {
    if (!open) await new Promise<void>((resolve) => held.push(resolve));
    written.push(batch.ops[0]!.key.replace(/.*\//, ''));
    return commit(batch);
  };
  return {
    /** Names, in the order in which they were written. */
    written,
    /** Lets the oldest through; waits for it if there is none. */
    async write() {
      await eventually(() => held.length).toBeGreaterThan(0);
      const before = written.length;
      held.shift()!();
      await eventually(() => written.length).toBe(before + 1);
    },
    open() {
      open = true;
      for (const pass of held.splice(0)) pass();
    },
  };
}

const network = (name: string) => ({
  apiVersion: 'plumb.dev/v1',
  kind: 'L3Network',
  metadata: { name },
  spec: {
    l2Network: 'lab',
    ipv4: { cidr: '10.20.0.0/16', gateway: '10.20.0.1', ranges: [{ start: '10.20.1.0', end: '10.20.2.0' }] },
  },
});

function post(api: ApiRig, client: string, name: string): Promise<Answer> {
  const headers = { 'user-agent': client, 'content-length': String(JSON.stringify(network(name)).length) };
  return api.ask('POST', `${PROJECT}/l3networks`, { body: network(name), headers });
}

describe('writes past what the server can do', () => {
  const SEATS = 4;
  const QUEUE = 60;
  const small = limits({ writeRequests: SEATS, writeRequestsWaiting: QUEUE, requestWaitSeconds: 20 });

  test('a client that asks for little gets it, while one that asks for everything is told to come back', async () => {
    const api = await start({ limits: small });
    const disk = gate(api.store);
    const queued = () => api.metric('plumb_api_queued{level="writes"}');
    const full = () => api.metric('plumb_api_rejected_total{level="writes",why="full"}');
    const heavy: Promise<Answer>[] = [];
    const load = (many: number) => {
      for (let i = 0; i < many; i++) heavy.push(post(api, 'heavy', `heavy-${heavy.length}`));
    };
    load(100);
    await eventually(full).toBe(100 - SEATS - QUEUE);

    const ROUNDS = 5;
    for (let round = 0; round < ROUNDS; round++) {
      const refused = await full();
      const meek = post(api, 'meek', `meek-${round}`);
      // The queue is full: the other one has to make room.
      await eventually(full).toBe(refused + 1);
      const before = disk.written.length;
      let answer: Answer | undefined;
      void meek.then((given) => {
        answer = given;
      });
      while (!disk.written.includes(`meek-${round}`)) await disk.write();
      await eventually(() => answer?.status).toBe(201);
      // Those at work when it came, one of the other's that is its turn, and itself.
      expect(disk.written.length - before).toBeLessThanOrEqual(SEATS + 2);
      expect(await api.metric('plumb_api_inflight{level="writes"}')).toBeLessThanOrEqual(SEATS);
      load(QUEUE + 1 - (await queued()));
      await eventually(queued).toBe(QUEUE);
    }

    // The load ends. What was acknowledged is there, what was refused is not, and it is as quick as before.
    disk.open();
    const answers = await Promise.all(heavy);
    const [made, refused] = [201, 429].map((code) => answers.filter(({ status }) => status === code));
    expect(made!.length + refused!.length).toBe(answers.length);
    const stored = (await api.ask('GET', `${PROJECT}/l3networks`)).body.items.length;
    expect(stored).toBe(ROUNDS + made!.length);
    expect(await queued()).toBe(0);
    expect(await api.metric('plumb_api_inflight{level="writes"}')).toBe(0);
    expect((await post(api, 'heavy', 'at-last')).status).toBe(201);

    const { body, headers } = refused![0]!;
    expect(body).toMatchObject({ kind: 'Status', reason: 'TooManyRequests', code: 429 });
    const after = Number(headers['retry-after']);
    expect(after).toBeGreaterThanOrEqual(1);
    expect(body.details.retryAfterSeconds).toBe(after);
  }, 60_000);

  test('nothing is written that waited longer than the bound', async () => {
    const api = await start({
      limits: limits({ writeRequests: 1, writeRequestsWaiting: QUEUE, requestWaitSeconds: 20 }),
    });
    const first = Promise.withResolvers<void>();
    const commit = api.store.commit.bind(api.store);
    api.store.commit = async (batch) => {
      await first.promise;
      return commit(batch);
    };
    const all = Array.from({ length: 5 }, (_, i) => post(api, 'client', `network-${i}`));
    await eventually(() => api.metric('plumb_api_queued{level="writes"}')).toBe(4);
    await api.clock.advance(20_000);
    const late = await Promise.all(all.slice(1));
    expect(late.map(({ status }) => status)).toEqual([429, 429, 429, 429]);
    first.resolve();
    expect((await all[0]!).status).toBe(201);
    expect((await api.ask('GET', `${PROJECT}/l3networks`)).body.items).toHaveLength(1);
    expect(await api.metric('plumb_api_rejected_total{level="writes",why="late"}')).toBe(4);
  });

  test('two users share alike, however many programs one of them runs', async () => {
    const users = new Map(
      ['token-of-a', 'token-of-b'].map((token) => [token, { name: token, groups: ['system:masters'] }]),
    );
    const api = await start({
      limits: limits({ writeRequests: 1, writeRequestsWaiting: QUEUE, requestWaitSeconds: 20 }),
      tokens: { check: (secret) => users.get(secret) },
    });
    const held = Promise.withResolvers<void>();
    const commit = api.store.commit.bind(api.store);
    const order: string[] = [];
    api.store.commit = async (batch) => {
      await held.promise;
      order.push(batch.ops[0]!.key.replace(/.*\//, ''));
      return commit(batch);
    };
    const ask = (token: string, name: string, program: string) => {
      const headers = { 'user-agent': program, 'content-length': String(JSON.stringify(network(name)).length) };
      return api.ask('POST', `${PROJECT}/l3networks`, { body: network(name), headers, token });
    };
    const asked: Promise<Answer>[] = [];
    for (let i = 0; i < 20; i++) asked.push(ask('token-of-a', `a-${i}`, `program ${i}`));
    await eventually(() => api.metric('plumb_api_queued{level="writes"}')).toBe(19);
    for (let i = 0; i < 5; i++) asked.push(ask('token-of-b', `b-${i}`, 'program'));
    await eventually(() => api.metric('plumb_api_queued{level="writes"}')).toBe(24);
    held.resolve();
    expect(new Set((await Promise.all(asked)).map(({ status }) => status))).toEqual(new Set([201]));
    expect(order.slice(1, 11).map((name) => name[0])).toEqual([...'ababababab']);
  });

  test('what a person needs to put things right does not wait behind them', async () => {
    const api = await start({ limits: small });
    const held = Promise.withResolvers<void>();
    const commit = api.store.commit.bind(api.store);
    api.store.commit = async (batch) => {
      if (batch.ops.some(({ key }) => key.includes('/l3networks/'))) await held.promise;
      return commit(batch);
    };
    const writes = Array.from({ length: SEATS + QUEUE }, (_, i) => post(api, 'heavy', `network-${i}`));
    await eventually(() => api.metric('plumb_api_queued{level="writes"}')).toBe(QUEUE);
    expect((await post(api, 'heavy', 'one-more')).status).toBe(429);
    expect((await api.ask('POST', ZONES, { body: manifests.zone('home') })).status).toBe(201);
    expect((await api.ask('GET', `${PROJECT}/l3networks`)).status).toBe(200);
    for (const path of ['/readyz', '/metrics', '/apis', `${V1}/hosts`])
      expect((await api.ask('GET', path)).status).toBe(200);
    held.resolve();
    expect(new Set((await Promise.all(writes)).map(({ status }) => status))).toEqual(new Set([201]));
  });

  test('a body that does not come gives its seat to those who wait', async () => {
    const api = await start({
      limits: limits({ writeRequests: 1, writeRequestsWaiting: QUEUE, requestWaitSeconds: 60 }),
    });
    const session = http2.connect(api.url, { ca: api.pki.authority });
    session.on('error', () => {});
    const slow = session.request({
      ':method': 'POST',
      ':path': `${PROJECT}/l3networks`,
      authorization: `Bearer ${api.token}`,
      'content-type': 'application/json',
      'content-length': '1000',
    });
    slow.on('error', () => {});
    slow.write('{');
    await eventually(() => api.metric('plumb_api_inflight{level="writes"}')).toBe(1);
    const waiting = post(api, 'meek', 'network');
    await eventually(() => api.metric('plumb_api_queued{level="writes"}')).toBe(1);
    await api.clock.advance(30_000);
    expect((await waiting).status).toBe(201);
    session.destroy();
  });

  test('a body takes seats as it comes when its length was not declared', async () => {
    const api = await start({
      limits: limits({ writeRequests: 2, writeRequestsWaiting: QUEUE, requestWaitSeconds: 60 }),
    });
    const body = { ...network('long'), metadata: { name: 'long', annotations: { long: 'x'.repeat(200_000) } } };
    const refused = await api.ask('POST', `${PROJECT}/l3networks`, { body });
    expect([refused.status, refused.body.reason]).toEqual([429, 'TooManyRequests']);
    const length = String(JSON.stringify(body).length);
    const declared = await api.ask('POST', `${PROJECT}/l3networks`, { body, headers: { 'content-length': length } });
    expect(declared.status).toBe(201);
    expect(await api.metric('plumb_api_inflight{level="writes"}')).toBe(0);
  });
});

describe('watches', () => {
  test('of one client leave room for those of others, and a watch that begins gives its seat back', async () => {
    const api = await start({
      limits: limits({ listRequests: 1, listRequestsWaiting: 50, requestWaitSeconds: 60, watches: 64 }),
    });
    const open = (client: string) => {
      const reader = api.watch(`${OFFERINGS}?watch=true`, { 'user-agent': client });
      return reader.status.then((status) => ({ status, reader }));
    };
    const hungry = await Promise.all(Array.from({ length: 30 }, () => open('hungry')));
    const served = hungry.filter(({ status }) => status === 200);
    expect(served.length).toBeGreaterThan(1);
    expect(hungry.filter(({ status }) => status === 429)).toHaveLength(30 - served.length);
    expect((await open('another')).status).toBe(200);
    await eventually(() => api.metric('plumb_api_inflight{level="lists"}')).toBe(0);
    for (const { reader } of hungry) reader.end();
    await eventually(async () => (await open('hungry')).status).toBe(200);
  });
});
