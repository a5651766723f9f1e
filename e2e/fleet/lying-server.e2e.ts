/** A server with the right certificate that speaks HTTP/2 as none should: the agent gives the connection up, and nothing else. */
import { once } from 'node:events';
import { createSecureServer, type Http2SecureServer, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { bridge, connected, Stage } from './stage.ts';

let stage: Stage;
beforeEach(async () => {
  stage = await Stage.open();
});
afterEach(() => stage.close());

const GRPC = { ':status': 200, 'content-type': 'application/grpc+proto' };
const lies: [string, (stream: ServerHttp2Stream) => void][] = [
  ['a header of 200,000 letters', (stream) => stream.respond({ ...GRPC, 'plumb-noise': 'x'.repeat(200_000) })],
  [
    'a message that is longer than any',
    (stream) => {
      stream.respond(GRPC);
      stream.write(Buffer.concat([Buffer.from([0, 0xff, 0xff, 0xff, 0xff]), Buffer.alloc(4096)]));
    },
  ],
  [
    'noise in the place of a message',
    (stream) => {
      stream.respond(GRPC);
      stream.write(Buffer.concat([Buffer.from([0, 0, 0, 1, 0]), Buffer.alloc(256, 0xff)]));
    },
  ],
];

test.each(lies)(
  '%s',
  async (_, lie) => {
    const plane = await stage.plane({ name: 'one' });
    const driver = stage.simulated();
    await driver.ensure(bridge('runs-on'));
    const agent = await stage.agent(plane, { 'host-1': driver });
    await connected(plane.fleet, 'host-1');
    const port = Number(new URL(plane.url).port);
    const context = plane.pki.tls.forAgents();
    const { store } = plane;
    await plane.close();
    const liar: Http2SecureServer = createSecureServer(
      { ...context, ALPNProtocols: ['h2'], maxSendHeaderBlockLength: 1 << 24 },
      () => {},
    );
    let calls = 0;
    const sessions = new Set<{ destroy(): void }>();
    liar.on('session', (session) => {
      sessions.add(session);
      session.on('error', () => {});
    });
    liar.on('stream', (stream: ServerHttp2Stream) => {
      calls++;
      stream.on('error', () => {});
      try {
        lie(stream);
      } catch {
        stream.destroy(); // Node itself may refuse to say it.
      }
    });
    liar.listen(port, '127.0.0.1');
    await once(liar, 'listening');
    expect((liar.address() as AddressInfo).port).toBe(port);
    const said = agent.log.length;
    const memory = process.memoryUsage().rss;
    await vi.waitFor(() => expect(calls).toBeGreaterThan(1), 20_000);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(process.memoryUsage().rss - memory).toBeLessThan(256 << 20);
    // It says why in short lines, and few.
    const lines = agent.log.slice(said);
    expect(lines.length).toBeLessThan(100);
    const closed = once(liar, 'close');
    liar.close();
    for (const session of sessions) session.destroy();
    await closed;
    const honest = await stage.plane({ name: 'one', port, store });
    await connected(honest.fleet, 'host-1');
    expect([...honest.fleet.host('host-1')!.resources.keys()]).toEqual(['bridge/runs-on']);
  },
  60_000,
);
