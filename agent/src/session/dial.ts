import type { ClientDuplexStream, ServiceError } from '@grpc/grpc-js';
import { ChannelCredentials, Client, Metadata, status } from '@grpc/grpc-js';
import { type PlumbError, retryable, terminal } from '@plumb/schemas';
import { type AgentLimits, defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { type FrameBounds, serverFrameReader } from '@plumb/schemas/wire/codec.ts';
import { fleetService } from '@plumb/schemas/wire/fleet-service.ts';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import type { AgentFrame, Broken, JoinRequest, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import type { Bound } from '@plumb/schemas/wire/scan.ts';
import { serverAddress } from '../identity/trust.ts';

/** What the server says in one frame; what is beyond a bound is not decoded. */
export interface HeardFrame {
  messages: readonly (ServerMessage | Broken)[];
}

export type FrameCall = ClientDuplexStream<AgentFrame, HeardFrame>;

/** Said always: where it is not, a variable of the environment decides (NODE_TLS_REJECT_UNAUTHORIZED). */
const VERIFIED = { rejectUnauthorized: true };

const JOIN_PATIENCE_MS = 30_000;

/** A way to the control plane, used for one stream. */
export type Dialled = Pick<Dial, 'connect' | 'join' | 'close'>;

/** One TLS connection to the control plane. */
export class Dial {
  readonly #client: Client;
  readonly #read: ReturnType<typeof serverFrameReader>;

  /** `authority`: PEM text of the certificate that the server's must be signed by. Connects at the first call. */
  constructor(server: string, authority: string, limits: AgentLimits = defaultAgentLimits) {
    this.#read = serverFrameReader(frameBounds(limits));
    const { host, port } = serverAddress(server);
    const target = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
    this.#client = new Client(target, ChannelCredentials.createSsl(Buffer.from(authority), null, null, VERIFIED), {
      'grpc.ssl_target_name_override': AGENT_SERVER_NAME,
      'grpc.default_authority': AGENT_SERVER_NAME,
      'grpc.max_receive_message_length': limits.frameBytes,
      'grpc.use_local_subchannel_pool': 1,
      'grpc.enable_http_proxy': 0,
      // A server that vanished without a word is noticed by the transport: it says nothing of itself while idle.
      'grpc.keepalive_time_ms': 10_000,
      'grpc.keepalive_timeout_ms': 20_000,
    });
  }

  /** Opens the stream. `said` is what the server hears before the first frame: who opens it, and what it speaks. */
  connect(said: Readonly<Record<string, string>>): FrameCall {
    const { path, requestSerialize } = fleetService.connect;
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(said)) metadata.set(name, value);
    const deserialize = (bytes: Buffer): HeardFrame => ({ messages: this.#read(bytes) });
    return this.#client.makeBidiStreamRequest(path, requestSerialize, deserialize, metadata);
  }

  /** Rejects with the server's reason: terminal, when asking again in the same way will not help. */
  join(request: JoinRequest): Promise<void> {
    const { path, requestSerialize, responseDeserialize } = fleetService.join;
    const options = { deadline: Date.now() + JOIN_PATIENCE_MS };
    return new Promise((resolve, reject) => {
      const metadata = new Metadata();
      this.#client.makeUnaryRequest(path, requestSerialize, responseDeserialize, request, metadata, options, (error) =>
        error ? reject(joinError(error)) : resolve(),
      );
    });
  }

  close(): void {
    this.#client.close();
  }
}

const joinReasons: Partial<Record<status, string>> = {
  [status.UNAUTHENTICATED]: 'WrongJoinToken',
  [status.ALREADY_EXISTS]: 'HostTaken',
  [status.FAILED_PRECONDITION]: 'HostRemoved',
  [status.INVALID_ARGUMENT]: 'InvalidJoin',
};

function joinError(error: ServiceError): PlumbError {
  const reason = joinReasons[error.code];
  return reason ? terminal(reason, error.details) : retryable('ServerUnreachable', callError(error));
}

/** What a person should read of a failed call. */
export function callError(error: Error & Partial<ServiceError>): string {
  return error.details || error.message;
}

/** What the limits say of a frame of the server, by the names of agent.proto. */
export function frameBounds(limits: AgentLimits): FrameBounds {
  const bound = (limit: keyof AgentLimits): Bound => ({ most: limits[limit], limit });
  const name = bound('nameBytes');
  const names = [
    'ServerMessage.host',
    'Attached.session',
    'Command.id',
    'Command.owner',
    'Command.session',
    'Step.id',
    'Cancel.command',
    'Attached.liveDigest',
    'Refused.reason',
  ];
  const ofResource = ['HostResource.kind', 'HostResource.id', 'HostResource.owner'];
  return {
    messages: limits.messagesPerFrame,
    lists: { 'Command.steps': bound('stepsPerCommand') },
    texts: {
      'Refused.message': bound('serverTextBytes'),
      ...Object.fromEntries([...names, ...ofResource].map((field) => [field, name])),
      'HostResource.spec': bound('resourceBytes'),
    },
  };
}
