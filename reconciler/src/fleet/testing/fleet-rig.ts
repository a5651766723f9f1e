/** A fleet server whose agents are {@link FakeCall}s, with declared hosts whose credential is their name. */
import { createHash } from 'node:crypto';
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { keys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import type { EndpointHandlers } from '../fleet-endpoint.ts';
import { FleetServer, type FleetServerOptions } from '../fleet-server.ts';
import { FakeCall } from './fake-call.ts';

export async function fleetFor(
  hosts: readonly string[],
  limits: Partial<ServerLimits> = {},
  more: Pick<FleetServerOptions, 'join'> = {},
) {
  const clock = new FakeClock();
  /** Time in which nothing ran, not even timers that were due. */
  const busy = { ms: 0 };
  const wall = { now: () => clock.now() + busy.ms, after: clock.after.bind(clock) };
  const store = new MemoryStore();
  for (const host of hosts) {
    const sha256 = createHash('sha256').update(host).digest('hex');
    await store.commit({
      preconditions: [],
      ops: [
        { type: 'put', key: keys.credential(host), value: JSON.stringify({ sha256 }) },
        { type: 'put', key: keys.object('hosts', undefined, host), value: '{}' },
      ],
    });
  }
  let handlers: EndpointHandlers | undefined;
  const log: string[] = [];
  const traffic = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };
  const fleet = new FleetServer({
    ...{ store, ambient: { ...realAmbient(), clock: wall }, term: 7, mayJoin: () => true },
    log: (level, message) => log.push(`${level} ${message}`),
    limits: { ...defaultServerLimits, ...limits },
    ...more,
    endpoint(given) {
      handlers = given;
      return { traffic, take() {}, close() {} };
    },
  });
  /** A call; with the credential of `host` in its metadata, if there is one. */
  const connect = (host?: string, credential = host) => {
    const call = new FakeCall(host === undefined ? undefined : { host, credential: credential! });
    handlers!.connect(call);
    return call;
  };
  return { fleet, store, clock, busy, log, connect };
}
