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

/**
 * What may be under way on a stream, unread, in bytes: of a stranger what his first frame may take, with room for its head and for
 * half of another; of an agent what keeps a long and fast line busy.
 */
const STRANGERS_WINDOW = 16 * 1024;
const AGENTS_WINDOW = 1024 * 1024;

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
        initialWindowSize: STRANGERS_WINDOW,
      },
    });
    const stopPings = keepAlive(session, clock);
    const own = { ...widened(peer, session), unattached: 0 };
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
      else if (path === JOIN_PATH) this.#join(stream, own);
      else throw new CallFailure(STATUS.unimplemented, 'there is no such method');
    } catch (error) {
      own.peer.refused();
      refuseStream(stream, CallFailure.from(error, 'the call'));
    }
  }

  #connect(stream: ServerHttp2Stream, headers: IncomingHttpHeaders, own: Session): void {
    const { limits } = this.#options;
    const facts = readCallMetadata(headers as Record<string, string | string[] | undefined>);
    const settled = this.#waitForCredential(stream, own);
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

  /** Counts a call on which nobody has shown a credential, until the function that it returns is called or the call ends. */
  #waitForCredential(stream: ServerHttp2Stream, own: Session): () => void {
    if (own.unattached >= this.#options.limits.unattachedStreamsPerConnection)
      throw new CallFailure(STATUS.resourceExhausted, 'too many calls of this connection wait for a credential');
    own.unattached++;
    let counted = true;
    const settled = () => {
      if (counted) own.unattached--;
      counted = false;
    };
    stream.on('close', settled);
    return settled;
  }

  #join(stream: ServerHttp2Stream, own: Session): void {
    const { peer } = own;
    // An agent for many hosts joins for all of them at once, when one of them is known.
    if (!own.isKnown()) this.#waitForCredential(stream, own);
    const answer = async (bytes: Buffer) => {
      let request: JoinRequest;
      try {
        request = joinRequest.decode(bytes);
      } catch {
        throw new CallFailure(STATUS.invalidArgument, 'the request cannot be decoded');
      }
      await this.#handlers.join(request, peer.address);
      peer.identified(request.host);
      return joinReply.encode({});
    };
    answerUnary(stream, { most: this.#options.limits.joinBytes, answer, onRefused: () => peer.refused() });
  }
}

/** The peer, whose streams may have more under way once a host has shown its credential. */
function widened(peer: Peer, session: ServerHttp2Session): Pick<Session, 'peer' | 'isKnown'> {
  let isWide = false;
  const wide: Peer = {
    address: peer.address,
    refused: () => peer.refused(),
    use: () => peer.use(),
    identified(host) {
      peer.identified(host);
      if (isWide || session.destroyed) return;
      isWide = true;
      session.settings({ initialWindowSize: AGENTS_WINDOW });
    },
  };
  return { peer: wide, isKnown: () => isWide };
}

/** A connection of an agent. */
interface Session {
  readonly peer: Peer;
  /** Whether a host of it has shown a credential. */
  isKnown(): boolean;
  /** Calls on which nobody has shown a credential yet. */
  unattached: number;
}

/** Of a connection that nobody counts. */
const NO_PEER: Peer = { address: '', identified() {}, refused() {}, use: () => () => {} };
