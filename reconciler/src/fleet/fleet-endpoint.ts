/**
 * The gRPC side of the fleet: a server without a port of its own, to which connections are handed. It speaks gRPC over
 * node's HTTP/2 by itself (docs/decisions/0016-a-stranger-costs-next-to-nothing.md): a call is judged by its headers, and
 * nothing of a stranger's message is kept beyond the few KiB that he is owed.
 */
import {
  type IncomingHttpHeaders,
  performServerHandshake,
  type ServerHttp2Session,
  type ServerHttp2Stream,
} from 'node:http2';
import type { Duplex } from 'node:stream';
import type { Clock } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { readCallMetadata } from '@plumb/schemas/wire/call-metadata.ts';
import { agentFrameReader, joinReply, joinRequest, serverFrame } from '@plumb/schemas/wire/codec.ts';
import { CONNECT_PATH, JOIN_PATH } from '@plumb/schemas/wire/fleet-service.ts';
import type { JoinRequest } from '@plumb/schemas/wire/messages.ts';
import { agentFrameBounds } from './frame-bounds.ts';
import type { FrameCall, Peer } from './frame-call.ts';
import { CallFailure, STATUS } from './grpc/call-failure.ts';
import { keepAlive } from './grpc/keep-alive.ts';
import { StreamCall } from './grpc/stream-call.ts';
import { answerUnary, refuseStream } from './grpc/unary.ts';

export interface EndpointHandlers {
  /** `address`: where the request comes from. Throws a PlumbError to refuse. */
  join(request: JoinRequest, address: string): Promise<void>;
  connect(call: FrameCall): void;
}

export interface EndpointOptions {
  clock: Clock;
  limits: ServerLimits;
}

/** What went over the streams since the start. */
export interface Traffic {
  bytesReceived: number;
  bytesSent: number;
  messagesReceived: number;
  messagesSent: number;
}

/** Node's own bound of what one session takes in memory, in MiB: what a slow agent has not taken is bounded by its stream. */
const MOST_SESSION_MIB = 64;

export class FleetEndpoint {
  readonly traffic: Traffic = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };
  readonly #handlers: EndpointHandlers;
  readonly #options: EndpointOptions;
  readonly #decode: ReturnType<typeof agentFrameReader>;
  readonly #sessions = new Set<ServerHttp2Session>();

  constructor(handlers: EndpointHandlers, options: EndpointOptions) {
    this.#handlers = handlers;
    this.#options = options;
    this.#decode = agentFrameReader(agentFrameBounds(options.limits));
  }

  /** Takes over a connection on which HTTP/2 is about to begin, TLS being done. */
  take(connection: Duplex, peer: Peer = NO_PEER): void {
    // Its end is seen by HTTP/2; without a listener an error would end the process.
    connection.on('error', () => {});
    const { limits, clock } = this.#options;
    const session = performServerHandshake(connection, {
      maxSessionMemory: MOST_SESSION_MIB,
      settings: {
        enablePush: false,
        maxConcurrentStreams: limits.streamsPerAgentConnection,
        maxHeaderListSize: limits.callMetadataBytes,
      },
    });
    const stopPings = keepAlive(session, clock);
    const own = { peer, unattached: 0 };
    this.#sessions.add(session);
    session.on('error', () => {});
    session.on('close', () => {
      stopPings();
      this.#sessions.delete(session);
    });
    session.on('stream', (stream, headers) => this.#take(stream, headers, own));
  }

  /** Ends every connection at once. */
  close(): void {
    for (const session of [...this.#sessions]) session.destroy();
  }

  #take(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, own: Session): void {
    // The end of the stream tells it, too.
    stream.on('error', () => {});
    stream.once('close', own.peer.use());
    try {
      if (headers[':method'] !== 'POST' || !headers['content-type']?.startsWith('application/grpc'))
        throw new CallFailure(STATUS.invalidArgument, 'this is for agents of Plumb, which speak gRPC');
      const path = headers[':path'];
      if (path === CONNECT_PATH) this.#connect(stream, headers, own);
      else if (path === JOIN_PATH) this.#join(stream, own.peer);
      else throw new CallFailure(STATUS.unimplemented, 'there is no such method');
    } catch (error) {
      own.peer.refused();
      refuseStream(stream, CallFailure.from(error, 'the call'));
    }
  }

  #connect(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, own: Session): void {
    const { limits } = this.#options;
    const facts = readCallMetadata(headers as Record<string, string | string[] | undefined>);
    if (own.unattached >= limits.unattachedStreamsPerConnection)
      throw new CallFailure(STATUS.resourceExhausted, 'too many streams of this connection wait for a credential');
    own.unattached++;
    let counted = true;
    const settled = () => {
      if (counted) own.unattached--;
      counted = false;
    };
    stream.on('close', settled);
    const { traffic } = this;
    this.#handlers.connect(
      new StreamCall({
        stream,
        facts,
        peer: own.peer,
        onOpen: settled,
        bytes: { first: limits.attachBytes, open: limits.frameBytes },
        decode: (bytes) => {
          const heard = this.#decode(bytes);
          traffic.bytesReceived += bytes.length;
          traffic.messagesReceived += heard.length;
          return heard;
        },
        encode(frame) {
          const bytes = serverFrame.encode(frame);
          traffic.bytesSent += bytes.length;
          traffic.messagesSent += frame.messages.length;
          return bytes;
        },
      }),
    );
  }

  #join(stream: ServerHttp2Stream, peer: Peer): void {
    answerUnary(stream, this.#options.limits.joinBytes, async (bytes) => {
      let request: JoinRequest;
      try {
        request = joinRequest.decode(bytes);
      } catch {
        peer.refused();
        throw new CallFailure(STATUS.invalidArgument, 'the request cannot be decoded');
      }
      try {
        await this.#handlers.join(request, peer.address);
      } catch (error) {
        peer.refused();
        throw error;
      }
      peer.identified(request.host);
      return joinReply.encode({});
    });
  }
}

/** A connection of an agent. */
interface Session {
  readonly peer: Peer;
  /** Streams on which nobody has shown a credential yet. */
  unattached: number;
}

/** Of a connection that nobody counts. */
const NO_PEER: Peer = { address: '', identified() {}, refused() {}, use: () => () => {} };
