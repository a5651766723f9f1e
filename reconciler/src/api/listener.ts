/**
 * One TLS port for two audiences. Connections that ask for the agents' server name are handed over whole; all others
 * speak HTTP/2 or HTTP/1.1 with the API.
 */
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type PlumbError, terminal } from '@plumb/schemas';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import type { TlsIdentity } from '../pki/open.ts';
import type { Reply } from './reply.ts';
import { ApiRequest } from './request.ts';

export interface ListenerOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  identity: TlsIdentity;
  answer(request: ApiRequest): Promise<Reply>;
  /** Takes over a connection of an agent; without it such connections are closed. */
  onAgentConnection?: ((socket: TLSSocket) => void) | undefined;
}

export interface Listener {
  port: number;
  /** Ends every connection and every watch. */
  close(): Promise<void>;
}

/** Streams that one client may have open at once on an HTTP/2 connection. */
const MAX_STREAMS = 1000;
const HANDSHAKE_MS = 10_000;

type Request = http2.Http2ServerRequest;
type Response = http2.Http2ServerResponse;

/** Listens until closed. Throws PlumbError `CannotListen` (terminal) when the address cannot be listened on. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { identity, onAgentConnection } = options;
  /** One per request at work. */
  const working = new Set<AbortController>();
  const sockets = new Set<Socket>();
  const server = http2.createSecureServer(
    {
      ...identity.current(),
      allowHTTP1: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: HANDSHAKE_MS,
      settings: { maxConcurrentStreams: MAX_STREAMS },
    },
    (request, response) => void serve(options, working, request, response),
  );
  shareWithAgents(server, onAgentConnection);
  server.on('sessionError', () => {});
  // A client that breaks the handshake is its own problem.
  server.on('tlsClientError', () => {});
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    socket.on('error', () => {});
  });
  server.listen(options.port, options.host);
  await once(server, 'listening').catch((error) => {
    throw cannotListen(options, error);
  });
  const stopRenewal = identity.onRenewed(() => server.setSecureContext(identity.current()));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      stopRenewal();
      for (const request of working) request.abort();
      const closed = once(server, 'close');
      server.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

const listenProblems: Record<string, string> = {
  EADDRINUSE: 'another program listens there',
  EADDRNOTAVAIL: 'this machine has no such address',
  ENOTFOUND: 'no address has that name',
  EACCES: 'this user may not listen on that port',
};

function cannotListen({ host, port }: ListenerOptions, error: NodeJS.ErrnoException): PlumbError {
  const why = listenProblems[error.code ?? ''] ?? error.message;
  const address = isIPv6(host) ? `[${host}]` : host;
  return terminal('CannotListen', `cannot listen on ${address}:${port}: ${why}; choose another with --listen`);
}

/** Puts the choice between agents and the API before what the server does with a connection. */
function shareWithAgents(
  server: http2.Http2SecureServer,
  onAgentConnection: ListenerOptions['onAgentConnection'],
): void {
  const speakHttp = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setNoDelay(true);
    if (socket.servername !== AGENT_SERVER_NAME) for (const speak of speakHttp) speak.call(server, socket);
    else if (onAgentConnection) onAgentConnection(socket);
    else socket.destroy();
  });
}

async function serve(options: ListenerOptions, working: Set<AbortController>, incoming: Request, response: Response) {
  const gone = new AbortController();
  response.on('close', () => gone.abort());
  response.on('error', () => gone.abort());
  incoming.on('error', () => gone.abort());
  working.add(gone);
  try {
    const request = new ApiRequest(incoming, gone.signal);
    await write(response, await options.answer(request), gone.signal);
  } catch {
    (response.stream ?? response.socket)?.destroy();
  } finally {
    working.delete(gone);
  }
}

async function write(response: Response, reply: Reply, gone: AbortSignal): Promise<void> {
  if (gone.aborted) return;
  const headers = { 'content-type': reply.type, 'cache-control': 'no-cache, private', ...reply.headers };
  if (typeof reply.body === 'string') {
    const body = Buffer.from(reply.body);
    response.writeHead(reply.status, { ...headers, 'content-length': body.length });
    response.end(body);
    return;
  }
  response.writeHead(reply.status, headers);
  // HTTP/2 has sent them by now; HTTP/1.1 would wait for the first part, which may be long in coming.
  (response as { flushHeaders?: () => void }).flushHeaders?.();
  for await (const part of reply.body) {
    if (gone.aborted) return;
    if (!response.write(part)) await once(response, 'drain', { signal: gone });
  }
  response.end();
}
