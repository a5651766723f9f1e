import type { Codec } from './codec.ts';
import { agentFrame, joinReply, joinRequest, serverFrame } from './codec.ts';

/** The service `Fleet` of agent.proto in the form in which grpc-js takes services, for servers and clients. */
export const fleetService = {
  join: {
    path: '/plumb.agent.v1.Fleet/Join',
    requestStream: false,
    responseStream: false,
    ...request(joinRequest),
    ...response(joinReply),
  },
  connect: {
    path: '/plumb.agent.v1.Fleet/Connect',
    requestStream: true,
    responseStream: true,
    ...request(agentFrame),
    ...response(serverFrame),
  },
} as const;

/** Largest message that either end takes, in bytes. Senders keep their frames far below. */
export const MAX_FRAME_BYTES = 16 * 1024 * 1024;

function request<T>({ encode, decode }: Codec<T>) {
  return { requestSerialize: encode, requestDeserialize: decode };
}

function response<T>({ encode, decode }: Codec<T>) {
  return { responseSerialize: encode, responseDeserialize: decode };
}
