import { EventEmitter } from 'node:events';
import { realAmbient } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import type { AgentFrame, AgentMessage, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import { expect, test } from 'vitest';
import type { Dialled, FrameCall } from './dial.ts';
import type { HostLink, HostSession } from './host-session.ts';
import { AgentStream } from './stream.ts';

/** The agent's end of a stream, which takes nothing more after a frame with snapshots until it is told to drain. */
class FakeCall extends EventEmitter {
  readonly said: AgentMessage[] = [];

  write({ messages }: AgentFrame): boolean {
    this.said.push(...messages);
    return !messages.some(({ body }) => body === 'snapshot');
  }

  end(): void {
    this.emit('end');
  }

  cancel(): void {
    this.emit('end');
  }

  attached(hosts: readonly string[]): void {
    const attached = { session: 's', term: 1, liveDigest: '' };
    this.emit('data', { messages: hosts.map((host): ServerMessage => ({ host, body: 'attached', attached })) });
  }

  told(): string[] {
    return this.said.filter(({ body }) => body === 'snapshot').map(({ host }) => host);
  }
}

/** A stream that speaks for so many hosts, of which it is noted when they are observed. */
function streamFor(count: number) {
  const names = Array.from({ length: count }, (_, n) => `h${n}`);
  const observed: string[] = [];
  const hosts = names.map((name) => ({
    name,
    identity: { joined: true, mayBeKnown: true, host: name, credential: 'secret', async afterJoin() {} },
    attachMessage: async () => ({ host: name, body: 'detach', detach: {} }),
    async begin(link: HostLink) {
      observed.push(name);
      link.push({ host: name, body: 'snapshot', snapshot: { resources: [], more: false } });
    },
    end() {},
  }));
  const call = new FakeCall();
  const stream = new AgentStream({
    dial: { connect: () => call as unknown as FrameCall } as unknown as Dialled,
    hosts: hosts as unknown as HostSession[],
    bearer: hosts[0] as unknown as HostSession,
    limits: defaultAgentLimits,
    ...{ registerZone: '', joinSecret: async () => '', onAttached() {}, log() {} },
    ...{ clock: realAmbient().clock, random: realAmbient().random },
  });
  return { names, observed, call, stream };
}

const turns = async () => {
  for (let n = 0; n < 20; n++) await new Promise((resolve) => setImmediate(resolve));
};

test('of thousands of hosts that are listened to at once no more are observed than the stream takes', async () => {
  const { names, observed, call, stream } = streamFor(2000);
  await turns();
  call.attached(names);
  await turns();
  const first = observed.length;
  expect(first).toBeGreaterThan(0);
  expect(first).toBeLessThan(50);
  for (let n = 0; n < 2000 && call.told().length < names.length; n++) {
    const before = observed.length;
    call.emit('drain');
    await turns();
    expect(observed.length - before).toBeLessThan(50);
  }
  expect(call.told().sort()).toEqual([...names].sort());
  expect(observed).toHaveLength(names.length);
  await stream.close();
});

test('a host that is refused before its turn is not observed, and nobody is after the end', async () => {
  const { names, observed, call, stream } = streamFor(200);
  await turns();
  call.attached(names);
  const refused = { reason: 'SessionReplaced', message: '', terminal: false, retryAfterMs: 60_000 };
  call.emit('data', { messages: [{ host: 'h150', body: 'refused', refused }] });
  await turns();
  for (let n = 0; n < 5; n++) {
    call.emit('drain');
    await turns();
  }
  const before = observed.length;
  expect(before).toBeLessThan(150);
  stream.abort();
  await stream.ended;
  await turns();
  expect(observed).toHaveLength(before);

  const again = streamFor(200);
  await turns();
  again.call.attached(again.names);
  again.call.emit('data', { messages: [{ host: 'h150', body: 'refused', refused }] });
  for (let n = 0; n < 200; n++) {
    await turns();
    again.call.emit('drain');
  }
  expect(again.observed).toHaveLength(199);
  expect(again.observed).not.toContain('h150');
  await again.stream.close();
});
