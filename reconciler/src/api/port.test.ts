import http2 from 'node:http2';
import https from 'node:https';
import { connect, type TLSSocket } from 'node:tls';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

let api: ApiRig;
const agents: TLSSocket[] = [];

beforeAll(async () => {
  api = await startApiRig({
    onAgentConnection: (socket) => {
      agents.push(socket);
      socket.end(`hello ${socket.alpnProtocol}`);
    },
  });
});
afterAll(() => api.stop());

describe('the port', () => {
  test('speaks HTTP/1.1 too, and watches come through it at once', async () => {
    const agent = new https.Agent({ keepAlive: true, ca: api.pki.authority });
    const get = (path: string) =>
      new Promise<{ version: string; status: number | undefined; first: string }>((resolve, reject) => {
        const headers = { authorization: `Bearer ${api.token}` };
        const request = https.get(`${api.url}${path}`, { agent, headers }, (response) => {
          response.once('data', (part: Buffer) => {
            resolve({ version: response.httpVersion, status: response.statusCode, first: part.toString() });
            response.destroy();
          });
        });
        request.on('error', reject);
      });
    await api.ask('POST', `${V1}/zones`, { body: manifests.zone('seen') });
    expect(await get('/version')).toMatchObject({ version: '1.1', status: 200 });
    const watched = await get(`${V1}/zones?watch=true`);
    expect(watched.first).toMatch(/^{"type":"ADDED"/);
    agent.destroy();
  });

  test('hands connections of agents over whole', async () => {
    const greeting = await new Promise<string>((resolve, reject) => {
      const socket = connect({
        host: '127.0.0.1',
        port: api.port,
        ca: api.pki.authority,
        servername: AGENT_SERVER_NAME,
        ALPNProtocols: ['h2'],
      });
      socket.on('data', (data) => resolve(data.toString()));
      socket.on('error', reject);
    });
    expect(greeting).toBe('hello h2');
    expect(agents).toHaveLength(1);
  });

  test('outlives clients that break off or speak no TLS', async () => {
    for (let i = 0; i < 3; i++) {
      await new Promise<void>((resolve) => {
        const session = http2.connect(api.url, { ca: api.pki.authority }, () => {
          const stream = session.request({
            ':path': `${V1}/zones?watch=true`,
            authorization: `Bearer ${api.token}`,
          });
          stream.on('response', () => session.destroy());
          stream.on('error', () => {});
        });
        session.on('error', () => {});
        session.on('close', resolve);
      });
    }
    await fetch(`http://127.0.0.1:${api.port}/`).catch(() => {});
    expect((await api.ask('GET', '/healthz')).status).toBe(200);
  });
});

test('closing ends watches and frees the port', async () => {
  const own = await startApiRig();
  const watch = own.watch(`${V1}/zones?watch=true`);
  await watch.status;
  await own.stop();
  await expect(
    new Promise((resolve, reject) => {
      const socket = connect({ port: own.port, host: '127.0.0.1', rejectUnauthorized: false }, () => resolve(socket));
      socket.on('error', reject);
    }),
  ).rejects.toMatchObject({ code: 'ECONNREFUSED' });
});
