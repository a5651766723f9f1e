/** Bytes to messages and back. The shapes are read from agent.proto itself, so there is no twin to keep in step. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { AgentFrame, JoinRequest, ServerFrame } from './messages.ts';

/** Turns one kind of message into bytes and back. `decode` throws when the bytes are not such a message. */
export interface Codec<T> {
  encode(message: T): Buffer;
  decode(bytes: Uint8Array): T;
}

const root = protobuf.parse(readFileSync(new URL('./agent.proto', import.meta.url), 'utf8')).root;

export const joinRequest = codec<JoinRequest>('JoinRequest');
export const joinReply = codec<Record<never, never>>('JoinReply');
export const agentFrame = codec<AgentFrame>('AgentFrame');
export const serverFrame = codec<ServerFrame>('ServerFrame');

/** 64 bit integers become numbers: terms, fences and sizes stay far below 2^53. Absent messages become null. */
const plain: protobuf.IConversionOptions = { longs: Number, defaults: true, arrays: true, oneofs: true };

function codec<T extends object>(name: string): Codec<T> {
  const type = root.lookupType(`plumb.agent.v1.${name}`);
  return {
    encode: (message) => Buffer.from(type.encode(message).finish()),
    decode: (bytes) => type.toObject(type.decode(bytes), plain) as T,
  };
}
