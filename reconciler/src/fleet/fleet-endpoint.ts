/** The gRPC side of the fleet: a server without a port of its own, to which connections are handed. */
import type { Duplex } from 'node:stream';
import type { ServerDuplexStream, ServerUnaryCall, sendUnaryData } from '@grpc/grpc-js';
import { Server, ServerCredentials, status } from '@grpc/grpc-js';
import { PlumbError } from '@plumb/schemas';
import { fleetService, MAX_FRAME_BYTES } from '@plumb/schemas/wire/fleet-service.ts';
import type { AgentFrame, JoinRequest, ServerFrame } from '@plumb/schemas/wire/messages.ts';

export type FrameCall = ServerDuplexStream<AgentFrame, ServerFrame>;

export interface EndpointHandlers {
  /** Throws a PlumbError to refuse. */
  join(request: JoinRequest): Promise<void>;
  connect(call: FrameCall): void;
}

/** What went over the streams since the start. */
export interface Traffic {
  bytesReceived: number;
  bytesSent: number;
  messagesReceived: number;
  messagesSent: number;
}

export class FleetEndpoint {
  readonly traffic: Traffic = { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };
  readonly #server = new Server({
    'grpc.max_receive_message_length': MAX_FRAME_BYTES,
    // A machine that vanished is noticed by its silence; this frees its connection, too.
    'grpc.keepalive_time_ms': 30_000,
    'grpc.keepalive_timeout_ms': 20_000,
  });
  readonly #injector;

  constructor(handlers: EndpointHandlers) {
    this.#server.addService(
      { join: fleetService.join, connect: this.#counted() },
      {
        join: (call: ServerUnaryCall<JoinRequest, object>, reply: sendUnaryData<object>) => {
          handlers.join(call.request).then(
            () => reply(null, {}),
            (error) => reply(statusOf(error)),
          );
        },
        connect: handlers.connect,
      },
    );
    // TLS was spoken already: what is handed over is plain HTTP/2.
    this.#injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
  }

  /** Takes over a connection on which HTTP/2 is about to begin, TLS being done. */
  take(connection: Duplex): void {
    // Its end is seen by HTTP/2; without a listener an error would end the process.
    connection.on('error', () => {});
    this.#injector.injectConnection(connection);
  }

  /** Ends every connection at once. */
  close(): void {
    this.#injector.destroy();
    this.#server.forceShutdown();
  }

  #counted() {
    const { traffic } = this;
    const { connect } = fleetService;
    return {
      ...connect,
      requestDeserialize(bytes: Buffer): AgentFrame {
        const frame = connect.requestDeserialize(bytes);
        traffic.bytesReceived += bytes.length;
        traffic.messagesReceived += frame.messages.length;
        return frame;
      },
      responseSerialize(frame: ServerFrame): Buffer {
        const bytes = connect.responseSerialize(frame);
        traffic.bytesSent += bytes.length;
        traffic.messagesSent += frame.messages.length;
        return bytes;
      },
    };
  }
}

const codes: Record<string, status> = {
  WrongJoinToken: status.UNAUTHENTICATED,
  HostTaken: status.ALREADY_EXISTS,
  InvalidJoin: status.INVALID_ARGUMENT,
};

function statusOf(thrown: unknown): { code: status; details: string } {
  const { reason, message } = PlumbError.from(thrown, 'the host could not join');
  return { code: codes[reason] ?? status.UNAVAILABLE, details: message };
}
