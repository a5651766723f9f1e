/** Bytes to messages and back. The shapes are read from agent.proto itself, so there is no twin to keep in step. */
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs';
import type { AgentFrame, AgentMessage, Broken, JoinRequest, ServerFrame, ServerMessage } from './messages.ts';
import { type Bounds, firstText, Scanner, spansOfList, Undecodable } from './scan.ts';

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

/** What one frame may hold. */
export interface FrameBounds extends Bounds {
  /** Messages in all. */
  messages: number;
}

/** Reads frames of an agent, one message after the other: what is wrong with one does not harm those of other hosts. */
export const agentFrameReader = (bounds: FrameBounds) => frameReader<AgentMessage>('AgentMessage', bounds);
/** Reads frames of the server. */
export const serverFrameReader = (bounds: FrameBounds) => frameReader<ServerMessage>('ServerMessage', bounds);

/**
 * The messages of a frame. One that is beyond a bound is not decoded: only its host is known, and what is wrong. Throws
 * {@link Undecodable} when the bytes are no frame, or hold more messages than one may.
 */
function frameReader<M>(name: string, bounds: FrameBounds): (bytes: Uint8Array) => (M | Broken)[] {
  const type = typeOf(name);
  const scanner = new Scanner(type, bounds);
  return (bytes) =>
    spansOfList(bytes, bounds.messages).map((span) => {
      const problem = scanner.problem(bytes, span);
      if (problem === undefined) return decoded(type, bytes.subarray(span.from, span.to)) as M;
      const host = firstText(bytes, span) ?? { from: 0, to: 0 };
      return { host: text(bytes, host.from, Math.min(host.to, host.from + MOST_HOST_BYTES)), body: 'broken', problem };
    });
}

/** A name that is longer is no host's. */
const MOST_HOST_BYTES = 253;

function text(bytes: Uint8Array, from: number, to: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, to - from).toString();
}

function decoded(type: protobuf.Type, bytes: Uint8Array): object {
  try {
    return type.toObject(type.decode(bytes), plain);
  } catch (error) {
    throw new Undecodable((error as Error).message);
  }
}

function typeOf(name: string): protobuf.Type {
  return root.lookupType(`plumb.agent.v1.${name}`);
}

function codec<T extends object>(name: string): Codec<T> {
  const type = typeOf(name);
  return {
    encode: (message) => Buffer.from(type.encode(message).finish()),
    decode: (bytes) => type.toObject(type.decode(bytes), plain) as T,
  };
}
