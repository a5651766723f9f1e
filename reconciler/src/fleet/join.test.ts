import { createHash } from 'node:crypto';
import { realAmbient } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { MemoryStore } from '../store/memory.ts';
import type { EndpointHandlers } from './fleet-endpoint.ts';
import { FleetServer } from './fleet-server.ts';

test('every join that is refused is in the log, and nothing of a token', async () => {
  const lines: string[] = [];
  let handlers: EndpointHandlers | undefined;
  const fleet = new FleetServer({
    ...{ store: new MemoryStore(), ambient: realAmbient(), term: 1 },
    mayJoin: (token) => token === 'right-token',
    log: (level, line) => lines.push(`${level} ${line}`),
    endpoint(given) {
      handlers = given;
      const traffic = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };
      return { traffic, take() {}, close() {} };
    },
  });
  const join = (host: string, secret: string, token = 'right-token') =>
    handlers!.join({
      token,
      host,
      credentialSha256: createHash('sha256').update(secret).digest('hex'),
      registerZone: '',
    });
  await join('host-1', 'mine');
  await expect(join('host-1', 'mine', 'wrong-token')).rejects.toMatchObject({ reason: 'WrongJoinToken' });
  await expect(join('host-1', 'other')).rejects.toMatchObject({ reason: 'HostTaken' });
  await expect(join('Host\n1', 'mine')).rejects.toMatchObject({ reason: 'InvalidJoin' });
  fleet.close();
  expect(lines).toEqual([
    'info host host-1 joined',
    'warn an agent that calls itself "host-1" presented a wrong join token',
    expect.stringContaining('warn host "host-1" may not join: a host named host-1 has joined before'),
    expect.stringContaining('warn host "Host\\n1" may not join: "Host\\n1" is not a host name'),
  ]);
  expect(lines.join()).not.toContain('-token');
});
