import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { Metrics } from '../../runtime/metrics.ts';
import { agentPeer } from './agent-peer.ts';
import { Door } from './door.ts';

let ports = 0;

class FakeSocket extends EventEmitter {
  readonly remotePort = ++ports;
  readonly localAddress = '192.0.2.1';
  readonly localPort = 7443;
  readonly remoteAddress: string;
  bytesRead = 0;
  destroyed = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroySoon(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

function rig(limits: Partial<ServerLimits> = {}) {
  const clock = new FakeClock();
  const metrics = new Metrics();
  const entered: FakeSocket[] = [];
  const door = new Door({
    ...{ clock, random: { next: () => 0 }, metrics, limits: { ...defaultServerLimits, ...limits } },
    isTrustedProxy: () => false,
    enter: (socket) => entered.push(socket as unknown as FakeSocket),
  });
  onTestFinished(() => door.close());
  const come = (address: string) => {
    const socket = new FakeSocket(address);
    door.take(socket as unknown as Socket);
    const visitor = door.visitorOf(socket as unknown as Socket)!;
    return { socket, visitor };
  };
  const many = (count: number, address: string) => Array.from({ length: count }, () => come(address));
  const open = (all: { socket: FakeSocket }[]) => all.filter(({ socket }) => !socket.destroyed).length;
  return { clock, metrics, door, entered, come, many, open };
}

test('strangers of one address are counted, those of others are not for it, and of this machine not at all', () => {
  const { many, open } = rig({ unauthenticatedConnectionsPerAddress: 3 });
  expect(open(many(10, '203.0.113.1'))).toBe(3);
  expect(open(many(2, '203.0.113.2'))).toBe(2);
  expect(open([...many(2, '2001:db8::1'), ...many(2, '2001:db8::2')])).toBe(3);
  expect(open(many(10, '127.0.0.1'))).toBe(10);
});

test('when there are too many in all, the oldest of who has most makes room: a client always gets in', async () => {
  const { many, come, open, metrics } = rig({ unauthenticatedConnections: 20 });
  const flood = many(50, '127.0.0.1');
  expect(open(flood)).toBe(20);
  expect(open(flood.slice(-20))).toBe(20);
  expect(come('203.0.113.9').socket.destroyed).toBe(false);
  expect(open(flood)).toBe(19);
  expect(await metrics.text()).toContain('plumb_connections_closed_total{why="crowded"} 31');
});

test('few strangers speak TLS at the same time; one that has shown nothing for long makes room for who comes', async () => {
  const { clock, many, come, entered, open, metrics } = rig({
    ...{ unauthenticatedHandshakes: 10, handshakesPerAddressAtOnce: 10, handshakesPerAddressPerSecond: 2 },
  });
  const flood = many(50, '127.0.0.1');
  expect(entered).toHaveLength(10);
  expect(open(flood)).toBe(50);
  await clock.advance(2900);
  expect(entered).toHaveLength(10);
  await clock.advance(200);
  // Some were closed, and the newest began in their place.
  const begun = entered.slice(10);
  expect(begun.length).toBeGreaterThan(0);
  expect(begun).toEqual(
    flood
      .slice(-begun.length)
      .map(({ socket }) => socket)
      .reverse(),
  );
  expect(open(flood.slice(0, begun.length))).toBe(0);
  await clock.advance(20_000);
  // A client comes in at once, in the place of the oldest.
  const client = come('203.0.113.9');
  expect(entered.at(-1)).toBe(client.socket);
  client.visitor.identified({ kind: 'user', name: 'admin' });
  expect(await metrics.text()).toContain('plumb_connections{of="users"} 1');
});

test('when all addresses have few, those go before that have shown a credential once', () => {
  const { come, many, open } = rig({ unauthenticatedConnections: 20 });
  const known = come('198.51.100.1');
  known.visitor.identified({ kind: 'user', name: 'admin' });
  known.socket.destroy();
  const botnet = Array.from({ length: 40 }, (_, n) => come(`203.0.113.${n}`));
  expect(open(botnet)).toBe(20);
  expect(come('198.51.100.2').socket.destroyed).toBe(true);
  expect(come('198.51.100.1').socket.destroyed).toBe(false);
  expect(open(botnet)).toBe(19);
  expect(open(many(1, '127.0.0.1'))).toBe(0);
});

test('a stranger has so much time for his handshake, and then for his credential', async () => {
  const { clock, door, come } = rig();
  const [slow, silent, good, waiting] = [
    come('203.0.113.1'),
    come('203.0.113.2'),
    come('203.0.113.3'),
    come('203.0.113.4'),
  ];
  await clock.advance(9000);
  for (const { visitor } of [silent, good, waiting]) door.shook(visitor);
  good.visitor.identified({ kind: 'user', name: 'admin' });
  const ready = agentPeer(door, waiting.visitor, clock).park();
  await clock.advance(1100);
  expect([slow, silent, good].map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
  await clock.advance(14_000);
  expect([silent, good, waiting].map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
  ready();
  await clock.advance(14_900);
  expect(waiting.socket.destroyed).toBe(false);
  await clock.advance(200);
  expect(waiting.socket.destroyed).toBe(true);
});

test('a stranger says so much, and asks so often; who is known is not counted so', async () => {
  const { clock, come } = rig();
  const [loud, known, asking] = [come('203.0.113.1'), come('203.0.113.2'), come('203.0.113.3')];
  known.visitor.identified({ kind: 'host', name: 'h' });
  for (const { socket } of [loud, known]) socket.bytesRead = defaultServerLimits.unauthenticatedBytes + 1;
  await clock.advance(20);
  expect([loud, known].map(({ socket }) => socket.destroyed)).toEqual([true, false]);
  for (let n = 1; n < defaultServerLimits.unauthenticatedRequests; n++) {
    asking.visitor.refused();
    known.visitor.refused();
  }
  await new Promise((resolve) => setImmediate(resolve));
  expect(asking.socket.destroyed).toBe(false);
  for (const { visitor } of [asking, known]) visitor.refused();
  await new Promise((resolve) => setImmediate(resolve));
  expect([asking, known].map(({ socket }) => socket.destroyed)).toEqual([true, false]);
});

test('connections count for their user, and of a host the newest stay', async () => {
  const { come, open, metrics } = rig({ connectionsPerUser: 6, connectionsPerHost: 2 });
  const of = (kind: 'user' | 'host', name: string, address = '203.0.113.1') => {
    const one = come(address);
    one.visitor.identified({ kind, name });
    return one;
  };
  const users = Array.from({ length: 5 }, () => of('user', 'admin'));
  expect(users.map(({ socket }) => socket.destroyed)).toEqual([false, false, false, true, true]);
  expect(open([of('user', 'other'), of('user', 'admin', '203.0.113.2')])).toBe(2);
  users[0]!.socket.destroy();
  expect(open([of('user', 'admin')])).toBe(1);
  const hosts = Array.from({ length: 5 }, () => of('host', 'h'));
  expect(hosts.map(({ socket }) => socket.destroyed)).toEqual([true, true, true, false, false]);
  const text = await metrics.text();
  expect(text).toContain('plumb_connections{of="users"} 5');
  expect(text).toContain('plumb_connections{of="hosts"} 2');
  expect(text).toContain('plumb_connections{of="nobody"} 0');
});

test('a connection that nobody uses ends; one with a watch does not, however quiet it is', async () => {
  const { clock, come } = rig();
  const [idle, watching, asking] = [come('203.0.113.1'), come('203.0.113.1'), come('203.0.113.1')];
  for (const { visitor } of [idle, watching, asking]) visitor.identified({ kind: 'user', name: 'admin' });
  const ended = watching.visitor.use(() => clock.now());
  for (let minutes = 0; minutes < 20; minutes++) {
    asking.visitor.use(() => clock.now())();
    await clock.advance(60_000);
  }
  expect([idle, watching, asking].map(({ socket }) => socket.destroyed)).toEqual([true, false, false]);
  ended();
  await clock.advance(11 * 60_000);
  expect(watching.socket.destroyed).toBe(true);
});

test('there is an end to all of them together', () => {
  const { many, open } = rig({ connections: 16 });
  const all = many(30, '127.0.0.1');
  expect(open(all)).toBe(16);
});
