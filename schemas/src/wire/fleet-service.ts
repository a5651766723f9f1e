import type { Codec } from './codec.ts';
import { agentFrame, joinReply, joinRequest, serverFrame } from './codec.ts';

const SERVICE = '/plumb.agent.v1.Fleet';
export const JOIN_PATH = `${SERVICE}/Join`;
export const CONNECT_PATH = `${SERVICE}/Connect`;

/** The service `Fleet` of agent.proto in the form in which grpc-js takes services. */
export const fleetService = {
  join: {
    path: JOIN_PATH,
    requestStream: false,
    responseStream: false,
    ...request(joinRequest),
    ...response(joinReply),
  },
  connect: {
    path: CONNECT_PATH,
    requestStream: true,
    responseStream: true,
    ...request(agentFrame),
    ...response(serverFrame),
  },
} as const;

function request<T>({ encode, decode }: Codec<T>) {
  return { requestSerialize: encode, requestDeserialize: decode };
}

function response<T>({ encode, decode }: Codec<T>) {
  return { responseSerialize: encode, responseDeserialize: decode };
}
