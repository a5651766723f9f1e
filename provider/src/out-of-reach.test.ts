/** A server that is away, or hangs: it costs one wait for the whole run, and is named. */
import { once } from 'node:events';
import { createServer as createHttps } from 'node:https';
import { type AddressInfo, createServer as createTcp, type Socket } from 'node:net';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { afterEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi } from './testing/fake-api.ts';
import type { ObjectValue } from './value/value.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end();
});

/** How many times faster than real the provider waits. */
const HURRY = 100;
/** How long it takes longer than it should on a busy machine, in milliseconds. */
const SLACK = 4_000;

async function provider(): Promise<Core> {
  const core = await Core.start({}, HURRY);
  ends.push(() => core.close());
  return core;
}

/** Accepts connections, and says nothing. Counts them. */
async function mute(): Promise<{ endpoint: string; connections(): number }> {
  const sockets = new Set<Socket>();
  const server = createTcp((socket) => void sockets.add(socket.on('error', () => {}))).listen(0, '127.0.0.1');
  await once(server, 'listening');
  ends.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    connections: () => sockets.size,
  };
}

async function nowhere(): Promise<string> {
  const server = createTcp().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

const zone = (n: number): ObjectValue => ({ name: `zone-${n}`, status: { uid: `uid-${n}` } });

/** Reads as many as Terraform would, ten at a time. Returns everything that was said, and what stayed of the states. */
async function refresh(terraform: Connection, count: number): Promise<{ said: string[]; kept: number }> {
  const said: string[] = [];
  let next = 0;
  let kept = 0;
  const walk = async () => {
    while (next < count) {
      const { errors, state } = await terraform.read('plumb_zone', zone(next++));
      said.push(...errors);
      if (state) kept++;
    }
  };
  await Promise.all(Array.from({ length: 10 }, walk));
  return { said, kept };
}

describe('one wait for the whole run, and one error that names the server', () => {
  test.each([
    ['at which nobody listens', nowhere, /nothing listens at/],
    ['that accepts and says nothing', async () => (await mute()).endpoint, /did not answer within \d+s/],
  ])('for a server %s', async (_, start, words) => {
    const endpoint = await start();
    const core = await provider();
    const [terraform, alias] = [await core.configured({ endpoint }), await core.configured({ endpoint })];
    const started = performance.now();
    const { said, kept } = await refresh(terraform, 200);
    expect(said).toHaveLength(1);
    expect(said[0]).toContain(endpoint);
    expect(said[0]).toMatch(words);
    expect(said[0]).toMatch(/did not answer within \d+s.* is it http or https/s);
    expect(kept).toBe(200);
    expect((await refresh(alias, 20)).said).toHaveLength(1);
    expect(performance.now() - started).toBeLessThan(30_000 / HURRY + SLACK);
  });

  test('a create says so, too, each time, and at once', async () => {
    const { endpoint, connections } = await mute();
    const terraform = await (await provider()).configured({ endpoint });
    await refresh(terraform, 1);
    const asked = connections();
    for (const name of ['a', 'b']) {
      const { errors } = await terraform.apply('plumb_zone', { name }, null);
      expect(errors).toEqual([expect.stringContaining(`${endpoint} did not answer within `)]);
    }
    // Now and then it is asked whether it is back.
    expect(connections() - asked).toBeLessThanOrEqual(6);
  });

  test('a server that goes silent in the middle is waited for once more', async () => {
    const api = await FakeApi.start();
    ends.push(() => api.close());
    const terraform = await (await provider()).configured({ endpoint: api.endpoint });
    const { state } = await terraform.apply('plumb_zone', { name: 'home' }, null);
    api.fault = () => new Promise(() => {});
    const started = performance.now();
    const { said } = await refresh(terraform, 100);
    expect(said).toEqual([expect.stringContaining(`${api.endpoint} did not answer within`)]);
    expect(performance.now() - started).toBeLessThan(60_000 / HURRY + SLACK);
    // It is asked whether it is back, and then everything goes on.
    api.fault = () => undefined;
    await expect
      .poll(async () => (await terraform.read('plumb_zone', state!)).state?.name, { timeout: 20_000 })
      .toBe('home');
    await expect.poll(async () => (await refresh(terraform, 1)).kept, { timeout: 20_000 }).toBe(0);
  });
});

test('https to a server that speaks http is told at once, and http to one that speaks https in the end', async () => {
  const api = await FakeApi.start();
  ends.push(() => api.close());
  const core = await provider();
  const wrong = await core.configured({ endpoint: `https://127.0.0.1:${api.port}` });
  expect((await wrong.read('plumb_zone', zone(1))).errors).toEqual([
    expect.stringContaining(`https://127.0.0.1:${api.port} speaks no TLS: is it http instead of https?`),
  ]);
  const secure = createHttps(UNKNOWN_SERVER, (_, response) => response.end('{}')).listen(0, '127.0.0.1');
  await once(secure, 'listening');
  ends.push(() => secure.close());
  const endpoint = `http://127.0.0.1:${(secure.address() as AddressInfo).port}`;
  const plain = await core.configured({ endpoint });
  const [said] = (await plain.read('plumb_zone', zone(1))).errors;
  expect(said).toContain('is it https instead of http?');
  expect(said).toContain(endpoint);
});
