/**
 * One TLS port for two audiences. Connections that ask for the agents' server name are handed over whole; all others
 * speak HTTP/2 or HTTP/1.1 with the API.
 */
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, isIPv6, type Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Clock, type PlumbError, terminal } from '@plumb/schemas';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import type { TlsIdentity } from '../pki/identity.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { Connections } from './connections.ts';
import type { Reply } from './reply.ts';
import { ApiRequest } from './request.ts';
import { Sender } from './sender.ts';

export interface ListenerOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  identity: TlsIdentity;
  clock: Clock;
  metrics?: Metrics | undefined;
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
/** Connections of agents and of the API's clients together: a process may have 20,000 files open. */
const MAX_CONNECTIONS = 16_000;

type Request = http2.Http2ServerRequest;
type Response = http2.Http2ServerResponse;

/** Listens until closed. Throws PlumbError `CannotListen` (terminal) when the address cannot be listened on. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { identity, onAgentConnection, clock, metrics } = options;
  const connections = new Connections(metrics);
  const sender = new Sender(clock, metrics);
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
    (request, response) => void serve(request, response),
  );
  server.addContext(AGENT_SERVER_NAME, identity.forAgents());
  server.maxConnections = MAX_CONNECTIONS;
  shareWithAgents(server, connections, onAgentConnection);
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

  async function serve(incoming: Request, response: Response): Promise<void> {
    const gone = new AbortController();
    let sent = false;
    // Nobody waits for it once all was sent, and each abort costs.
    response.on('close', () => {
      if (!sent) gone.abort();
    });
    response.on('error', () => gone.abort());
    incoming.on('error', () => gone.abort());
    working.add(gone);
    let reply: Reply | undefined;
    let until: AbortSignal | undefined;
    const end = () => gone.abort();
    try {
      const source = connections.of(incoming);
      const request = new ApiRequest(incoming, gone.signal, { source, clock });
      reply = await options.answer(request);
      // What goes on after the answer has begun, as a watch does, ends with the token that it was asked with.
      if (typeof reply.body !== 'string') until = request.user?.until;
      until?.addEventListener('abort', end);
      if (until?.aborted) end();
      await sender.send(response, reply, source, gone.signal);
      sent = true;
    } catch {
      (response.stream ?? response.socket)?.destroy();
    } finally {
      until?.removeEventListener('abort', end);
      working.delete(gone);
      reply?.done?.();
    }
  }

  const stopRenewal = identity.onRenewed(() => {
    server.setSecureContext(identity.current());
    server.addContext(AGENT_SERVER_NAME, identity.forAgents());
  });
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
  connections: Connections,
  onAgentConnection: ListenerOptions['onAgentConnection'],
): void {
  const speakHttp = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    socket.setNoDelay(true);
    if (socket.servername !== AGENT_SERVER_NAME) {
      if (connections.admit(socket)) for (const speak of speakHttp) speak.call(server, socket);
    } else if (onAgentConnection) onAgentConnection(socket);
    else socket.destroy();
  });
}
