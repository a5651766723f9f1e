import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { agentFrame, joinRequest, serverFrame } from './codec.ts';
import type { AgentMessage, ServerMessage } from './messages.ts';
import { VERB } from './messages.ts';

const resource = { kind: 'bridge', id: 'l2', owner: 'l2', spec: '{"name":"lab"}' };
const facts = { driver: 'simulated', agentVersion: '1', cpus: 4, memoryMib: 8192, tunnelAddress: '192.0.2.1' };

const facts4 = { state: 'off', reason: 'saved', maxCpus: 4, oldSeed: true, atRisk: 'a', edited: 'e', paused: 'p' };
const fromAgent: AgentMessage[] = [
  {
    host: 'a',
    body: 'attach',
    attach: { credential: 'c', facts, highestTerm: 2 ** 52, runningCommands: ['x', 'y'], registerZone: 'home' },
  },
  {
    host: 'a',
    body: 'snapshot',
    snapshot: {
      resources: [{ resource, drift: ['gone'], domain: facts4 }],
      more: true,
      unchanged: false,
    },
  },
  { host: 'a', body: 'changes', changes: { changed: [{ resource, drift: [], domain: null }], removed: [] } },
  { host: 'a', body: 'changes', changes: { changed: [], removed: [{ kind: 'port', id: 'p' }] } },
  {
    host: 'a',
    body: 'result',
    result: {
      command: '1',
      steps: [{ step: 's', ok: false, reason: 'InUse', message: 'it is', terminal: true }],
      refused: { reason: 'LowerTerm', message: 'no', terminal: false, retryAfterMs: 0 },
    },
  },
  { host: '', body: 'heartbeat', heartbeat: { sequence: 7 } },
  { host: 'b', body: 'detach', detach: {} },
];

const fromServer: ServerMessage[] = [
  { host: 'a', body: 'attached', attached: { session: 's', term: 3, liveDigest: 'd' } },
  { host: 'a', body: 'refused', refused: { reason: 'Busy', message: 'later', terminal: false, retryAfterMs: 900 } },
  {
    host: 'a',
    body: 'command',
    command: {
      id: '1',
      owner: 'u',
      session: 's',
      term: 3,
      fence: 44,
      steps: [{ id: 'make', verb: VERB.ensure, resource }],
    },
  },
];

describe('every message is the same after the wire', () => {
  test.each(fromAgent)('agent: $body', (message) => {
    const frame = { messages: [message] };
    expect(agentFrame.decode(agentFrame.encode(frame))).toEqual(frame);
  });

  test.each(fromServer)('server: $body', (message) => {
    const frame = { messages: [message] };
    expect(serverFrame.decode(serverFrame.encode(frame))).toEqual(frame);
  });

  test('join', () => {
    const request = { token: 't', host: 'host-1', registerZone: '', credentialSha256: 'ab'.repeat(32) };
    expect(joinRequest.decode(joinRequest.encode(request))).toEqual(request);
  });

  test('all of them in one frame, in order', () => {
    expect(agentFrame.decode(agentFrame.encode({ messages: fromAgent }))).toEqual({ messages: fromAgent });
  });

  test('numbers up to 2^53 are kept', () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), (sequence) => {
        const frame = { messages: [{ host: '', body: 'heartbeat' as const, heartbeat: { sequence } }] };
        expect(agentFrame.decode(agentFrame.encode(frame))).toEqual(frame);
      }),
    );
  });
});

test('a message of a newer peer is seen as one that is not known', () => {
  // Field 15 of an AgentMessage, which no version here has: tag 0x7a, empty.
  const unknown = Buffer.from([0x0a, 0x05, 0x0a, 0x01, 0x61, 0x7a, 0x00]);
  const { messages } = agentFrame.decode(unknown);
  expect(messages).toHaveLength(1);
  expect(messages[0]?.host).toBe('a');
  expect(messages[0]?.body).toBeUndefined();
});

test('bytes that are no frame are an error, never a crash', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
      try {
        const { messages } = agentFrame.decode(bytes);
        expect(Array.isArray(messages)).toBe(true);
      } catch (error) {
        expect(error).toBeInstanceOf(Error);
      }
    }),
  );
});
