import type { Http2ServerRequest } from 'node:http2';
import { expect, test } from 'vitest';
import { Connections } from './connections.ts';
import { type Cuttable, Unsent } from './unsent.ts';

const requestOn = (socket: object, session?: object) =>
  ({ socket, stream: session && { session } }) as unknown as Http2ServerRequest;

test('requests of one connection have one object in common, of either protocol', () => {
  const connections = new Connections({ visitorOf: () => undefined });
  const socket = { remoteAddress: '::ffff:10.0.0.1' };
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
