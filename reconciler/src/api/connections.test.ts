import { EventEmitter } from 'node:events';
import type { Http2ServerRequest } from 'node:http2';
import type { TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { Metrics } from '../runtime/metrics.ts';
import { Connections } from './connections.ts';
import { type Cuttable, Unsent } from './unsent.ts';

class FakeSocket extends EventEmitter {
  readonly remoteAddress: string;
  destroyed = false;

  constructor(remoteAddress: string) {
    super();
    this.remoteAddress = remoteAddress;
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    this.emit('close');
  }
}

const requestOn = (socket: FakeSocket, session?: object) =>
  ({ socket, stream: session && { session } }) as unknown as Http2ServerRequest;

test('one address leaves connections to others, and gets back what it closes', async () => {
  const metrics = new Metrics();
  const connections = new Connections(metrics, 10);
  const open = (address: string) => {
    const socket = new FakeSocket(address);
    return { socket, stays: connections.admit(socket as unknown as TLSSocket) };
  };
  const hungry = Array.from({ length: 10 }, () => open('10.0.0.1'));
  expect(hungry.map(({ stays }) => stays)).toEqual([...Array(5).fill(true), ...Array(5).fill(false)]);
  expect(hungry.map(({ socket }) => socket.destroyed)).toEqual([...Array(5).fill(false), ...Array(5).fill(true)]);
  expect(open('10.0.0.2').stays).toBe(true);
  expect(await metrics.text()).toContain('\nplumb_api_connections 6\n');
  expect(await metrics.text()).toContain('\nplumb_api_connections_refused_total 5\n');
  for (const { socket } of hungry) socket.destroy();
  expect(await metrics.text()).toContain('\nplumb_api_connections 1\n');
  expect(open('10.0.0.1').stays).toBe(true);
});

test('requests of one connection have one object in common, of either protocol', () => {
  const connections = new Connections();
  const socket = new FakeSocket('10.0.0.1');
  const session = { destroy: () => {} };
  expect(connections.of(requestOn(socket))).toBe(connections.of(requestOn(socket)));
  expect(connections.of(requestOn(socket, session))).toBe(connections.of(requestOn(socket, session)));
  expect(connections.of(requestOn(socket))).not.toBe(connections.of(requestOn(socket, session)));
  expect(connections.of(requestOn(socket)).address).toBe('10.0.0.1');
});

test('who leaves too much lying is cut off; when all leave too much, who leaves most', () => {
  const unsent = new Unsent({ one: 100, all: 150 });
  const client = () => {
    const state: Cuttable & { cuts: number } = { unsent: 0, cuts: 0, cut: () => state.cuts++ };
    return state;
  };
  const [a, b, c] = [client(), client(), client()];
  unsent.add(a, 70);
  const taken = unsent.add(b, 60);
  expect([a.cuts, b.cuts]).toEqual([0, 0]);
  unsent.add(c, 30);
  expect([a.cuts, b.cuts, c.cuts]).toEqual([1, 0, 0]);
  taken();
  expect(unsent.bytes).toBe(100);
  unsent.add(c, 71);
  expect([a.cuts, b.cuts, c.cuts]).toEqual([1, 0, 1]);
  expect(unsent.cut).toBe(2);
});
