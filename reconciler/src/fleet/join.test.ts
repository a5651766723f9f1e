import { createHash } from 'node:crypto';
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { MemoryStore } from '../store/memory.ts';
import type { EndpointHandlers } from './fleet-endpoint.ts';
import { FleetServer } from './fleet-server.ts';

test('joins that are refused are in the log, up to a bound, and nothing of a token', async () => {
  const lines: string[] = [];
  const clock = new FakeClock();
  let handlers: EndpointHandlers | undefined;
  const fleet = new FleetServer({
    ...{ store: new MemoryStore(), ambient: { ...realAmbient(), clock }, term: 1 },
    mayJoin: (token) => token === 'right-token',
    log: (level, line) => lines.push(`${level} ${line}`),
    endpoint(given) {
      handlers = given;
      const traffic = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };
      return { traffic, take() {}, close() {} };
    },
  });
  const join = (host: string, secret: string, token = 'right-token') =>
    handlers!.join(
      {
        token,
        host,
        credentialSha256: createHash('sha256').update(secret).digest('hex'),
        registerZone: '',
      },
      '192.0.2.1',
    );
  await join('host-1', 'mine');
  await expect(join('host-1', 'mine', 'wrong-token')).rejects.toMatchObject({ reason: 'WrongJoinToken' });
  await expect(join('host-1', 'other')).rejects.toMatchObject({ reason: 'HostTaken' });
  await expect(join('Host\n1', 'mine')).rejects.toMatchObject({ reason: 'InvalidJoin' });
  expect(lines).toEqual([
    'info host host-1 joined',
    'warn host "host-1" at 192.0.2.1 may not join: WrongJoinToken',
    'warn host "host-1" at 192.0.2.1 may not join: HostTaken',
    'warn host "Host\\n1" at 192.0.2.1 may not join: InvalidJoin',
  ]);
  expect(lines.join()).not.toContain('-token');
  for (let n = 0; n < 1_000; n++) await join(`host-${n}`, 'x', 'guess').catch(() => {});
  expect(lines).toHaveLength(1 + defaultServerLimits.joinRefusalsPerMinute);
  await clock.advance(60_000);
  expect(lines.at(-1)).toBe('warn 983 more joins were refused within the last minute');
  fleet.close();
  expect(clock.timers).toBe(0);
});
