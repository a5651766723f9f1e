/** One call of an agent that streams frames, as the fleet sees it, however it came here. */
import type { CallFacts } from '@plumb/schemas/wire/call-metadata.ts';
import type { AgentMessage, Broken, ServerFrame } from '@plumb/schemas/wire/messages.ts';
import type { CallFailure } from './grpc/call-failure.ts';

/** Messages in the order in which they were said, among them those that are beyond a bound. */
export type Heard = readonly (AgentMessage | Broken)[];

/** The other end of a connection, of which it is to be known whether it has shown who it is. */
export interface Peer {
  /** Address that the connection comes from, as clients are told apart by it; empty when that is not known. */
  readonly address: string;
  /** A host of this connection has shown its credential. */
  identified(host: string): void;
  /** A stream of it begins. Returns what ends it. */
  use(): () => void;
  /** It asked for something without a right to it. A few of those, and the connection ends. */
  refused(): void;
}

export interface FrameCall {
  /** What the agent said before its first frame. */
  readonly facts: CallFacts;
  readonly peer: Peer;
  /**
   * The next frame while it is not known who speaks, at most `attachBytes` long; undefined when there will be none. Nothing
   * is read that was not asked for.
   */
  first(): Promise<Heard | undefined>;
  /** From now on every frame is heard when it comes. */
  open(listener: (heard: Heard) => void): void;
  /** Reads no more until the function that it returns is called. */
  hold(): () => void;
  /** Calls `listener` once when nothing more is heard, at once if that is so already. */
  onEnd(listener: (why: string) => void): void;
  /** False: no more before `drain`. */
  write(frame: ServerFrame): boolean;
  once(event: 'drain', listener: () => void): unknown;
  /** Ends the call well, when what was written has gone. */
  end(): void;
  /** Ends the call and says why. */
  fail(failure: CallFailure): void;
}
