/**
 * One TLS port for two audiences. Connections that ask for the agents' server name are handed over whole; all others
 * speak HTTP/2 or HTTP/1.1 with the API.
 */
import { once } from 'node:events';
import http2 from 'node:http2';
import { type AddressInfo, createServer, isIPv6 } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { type Clock, type PlumbError, type Random, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import type { TlsIdentity } from '../pki/identity.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { Connections } from './connections.ts';
import { type AgentPeer, agentPeer } from './door/agent-peer.ts';
import { Door } from './door/door.ts';
import type { Reply } from './reply.ts';
import { ApiRequest } from './request.ts';
import { Sender } from './sender.ts';

export interface ListenerOptions {
  host: string;
  /** 0: any that is free. */
  port: number;
  identity: TlsIdentity;
  clock: Clock;
  random: Random;
  limits: ServerLimits;
  /** Whether connections from the address begin with a header of PROXY protocol v2. */
  isTrustedProxy?: ((address: string) => boolean) | undefined;
  metrics?: Metrics | undefined;
  answer(request: ApiRequest): Promise<Reply>;
  /** Takes over a connection of an agent; without it such connections are closed. */
  onAgentConnection?: ((socket: TLSSocket, peer: AgentPeer) => void) | undefined;
}

export interface Listener {
  port: number;
  /** Ends every connection and every watch. */
  close(): Promise<void>;
}

type Request = http2.Http2ServerRequest;
type Response = http2.Http2ServerResponse;

/** Listens until closed. Throws PlumbError `CannotListen` (terminal) when the address cannot be listened on. */
export async function listen(options: ListenerOptions): Promise<Listener> {
  const { identity, onAgentConnection, clock, limits, metrics, isTrustedProxy = () => false } = options;
  const sender = new Sender(clock, limits, metrics);
  /** One per request at work. */
  const working = new Set<AbortController>();
  const server = http2.createSecureServer(
    {
      ...identity.current(),
      allowHTTP1: true,
      minVersion: 'TLSv1.2',
      handshakeTimeout: limits.handshakeSeconds * 1000,
      settings: { maxConcurrentStreams: limits.requestsPerConnection, maxHeaderListSize: limits.callMetadataBytes },
    },
    (request, response) => void serve(request, response),
  );
  server.addContext(AGENT_SERVER_NAME, identity.forAgents());
  const door = new Door({
    clock,
    random: options.random,
    limits,
    metrics,
    isTrustedProxy,
    enter: (socket) => server.emit('connection', socket),
  });
  const connections = new Connections(door);
  shareWithAgents(server, door, clock, onAgentConnection);
  server.on('sessionError', () => {});
  // A client that breaks the handshake is its own problem.
  server.on('tlsClientError', () => {});
  // Nothing is read from a connection before the door has let it in.
  const outside = createServer({ pauseOnConnect: true, noDelay: true }, (socket) => door.take(socket));
  // While we are busy, what comes waits in the kernel: more than strangers may have, so that nobody has to come twice.
  outside.listen({ port: options.port, host: options.host, backlog: 2 * limits.unauthenticatedConnections });
  await once(outside, 'listening').catch((error) => {
    door.close();
    throw cannotListen(options, error);
  });

  async function serve(incoming: Request, response: Response): Promise<void> {
    const source = connections.of(incoming);
    if (source.visitor?.isSpent) {
      source.visitor.cutOff();
      return;
    }
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
    let unuse: (() => void) | undefined;
    let cancel: (() => void) | undefined;
    const end = () => gone.abort();
    try {
      unuse = source.visitor?.use(() => clock.now());
      const request = new ApiRequest(incoming, gone.signal, { source, clock });
      reply = await options.answer(request);
      // What goes on after the answer has begun, as a watch does, ends with the token that it was asked with.
      if (typeof reply.body !== 'string' && !Buffer.isBuffer(reply.body)) {
        until = request.user?.until;
        cancel = atTime(clock, request.user?.expiresAt, end);
      }
      until?.addEventListener('abort', end);
      if (until?.aborted) end();
      await sender.send(response, reply, source, gone.signal);
      sent = true;
    } catch {
      (response.stream ?? response.socket)?.destroy();
    } finally {
      until?.removeEventListener('abort', end);
      cancel?.();
      working.delete(gone);
      unuse?.();
      reply?.done?.();
    }
  }

  const stopRenewal = identity.onRenewed(() => {
    server.setSecureContext(identity.current());
    server.addContext(AGENT_SERVER_NAME, identity.forAgents());
  });
  return {
    port: (outside.address() as AddressInfo).port,
    async close() {
      stopRenewal();
      for (const request of working) request.abort();
      const closed = once(outside, 'close');
      outside.close();
      door.close();
      await closed;
    },
  };
}

/** Timers reach less far than tokens live: what rings before its time is wound up again. */
function atTime(clock: Clock, time: number | undefined, run: () => void): (() => void) | undefined {
  if (time === undefined) return undefined;
  const rung = () => {
    if (clock.now() < time) stop = clock.after(time - clock.now(), rung);
    else run();
  };
  let stop = clock.after(Math.max(0, time - clock.now()), rung);
  return () => stop();
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
  door: Door,
  clock: Clock,
  onAgentConnection: ListenerOptions['onAgentConnection'],
): void {
  const speakHttp = server.listeners('secureConnection') as ((socket: TLSSocket) => void)[];
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    const visitor = door.visitorOf(socket);
    if (visitor === undefined) {
      socket.destroy();
      return;
    }
    door.shook(visitor);
    if (socket.servername !== AGENT_SERVER_NAME) for (const speak of speakHttp) speak.call(server, socket);
    else if (onAgentConnection) onAgentConnection(socket, agentPeer(door, visitor, clock));
    else socket.destroy();
  });
}
