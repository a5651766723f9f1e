import { realAmbient } from '@plumb/schemas';
import { UNKNOWN_SERVER } from '@plumb/schemas/testing/unknown-server.ts';
import { afterEach, expect, test } from 'vitest';
import type { Connection } from './connection.ts';
import { SharedWires } from './shared-wires.ts';
import { serve, type TestServer } from './testing/server.ts';
import { Transport } from './transport.ts';

const opened: { close(): void }[] = [];

afterEach(() => {
  for (const one of opened.splice(0).reverse()) one.close();
});

async function start(): Promise<TestServer> {
  const server = await serve([{ body: {} }]);
  opened.push(server);
  return server;
}

/** Of a process whose clock stands, so that nothing is closed because time has gone by. */
function shared(): SharedWires {
  const wires = new SharedWires({ now: () => 0, after: () => () => {} });
  opened.push(wires);
  return wires;
}

function transport(server: TestServer, wires: SharedWires, more: Partial<Connection> = {}, env = {}): Transport {
  const made = new Transport({
    connection: { endpoints: [server.url], token: 'secret', ca: UNKNOWN_SERVER.cert, ...more },
    clock: realAmbient().clock,
    surroundings: { env, cwd: '/' },
    userAgent: 'test',
    untrusted: (url, why) => `${url} is not trusted: ${why}`,
    wires,
  });
  opened.push(made);
  return made;
}

const ask = (of: Transport) => of.json({ method: 'GET', path: '/' }, new AbortController().signal);

test('those of one server and one credential share a connection, at the same time and one after the other', async () => {
  const server = await start();
  const wires = shared();
  const [one, two] = [transport(server, wires), transport(server, wires)];
  await Promise.all([ask(one), ask(two)]);
  one.close();
  await ask(two);
  two.close();
  two.close();
  await ask(transport(server, wires));
  expect(server.connections).toBe(1);
});

test.each<[string, Partial<Connection>]>([
  ['token', { token: 'of another shell' }],
  ['certificate of the server that is believed', { ca: `${UNKNOWN_SERVER.cert}\n` }],
  ['way of looking at it', { insecure: true }],
  ['name of the server', { serverName: 'localhost' }],
  ['certificate', { certificate: { cert: UNKNOWN_SERVER.cert, key: UNKNOWN_SERVER.key } }],
])('another %s has another connection, and is sent on that alone', async (_what, more) => {
  const server = await start();
  const wires = shared();
  await ask(transport(server, wires));
  await ask(transport(server, wires, more));
  expect(server.connections).toBe(2);
  const tokens = server.seen.map(({ headers }) => headers.authorization);
  expect(tokens).toEqual(['Bearer secret', `Bearer ${more.token ?? 'secret'}`]);
});

test('an idle one is closed', async () => {
  const server = await start();
  let ends = () => {};
  const wires = new SharedWires({
    now: () => 0,
    after: (_ms, run) => {
      ends = run;
      return () => {
        ends = () => {};
      };
    },
  });
  const one = transport(server, wires);
  await ask(one);
  one.close();
  const two = transport(server, wires);
  await ask(two);
  ends(); // It is used again: nothing is to be done.
  await ask(two);
  expect(server.connections).toBe(1);
  two.close();
  ends();
  await ask(transport(server, wires));
  expect(server.connections).toBe(2);
});
