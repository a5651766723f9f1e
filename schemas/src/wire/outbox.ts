import type { AgentMessage, Changes, ServerMessage, WireResource } from './messages.ts';

/** A stream of frames: grpc-js's calls are such. `write` returns false when it wants no more before `drain`. */
export interface FrameStream<M> {
  write(frame: { messages: M[] }): boolean;
  once(event: 'drain', listener: () => void): unknown;
}

export interface OutboxBound {
  /** What may wait for a stream that takes nothing, in bytes. */
  mostBytes: number;
  /** More waits: all of it was dropped, and the stream is to be ended. */
  onFull(): void;
}

const NO_BOUND: OutboxBound = { mostBytes: Number.POSITIVE_INFINITY, onFull() {} };

/** A frame is closed when it holds this much. One message may be larger, and then goes alone. */
export const FRAME_BYTES = 256 * 1024;

/** What one message of joined changes takes at most. */
const JOINED_BYTES = 32 * 1024;

/**
 * Sends in one frame what became ready in one turn of the event loop, in order for each host, and the changes of a host
 * that follow each other as one. While the stream is full, messages gather here, and go in fewer, larger frames when it
 * has drained.
 */
export class Outbox<M extends AgentMessage | ServerMessage> {
  readonly #stream: FrameStream<M>;
  readonly #mostBytes: number;
  readonly #onFull: () => void;
  /** Roughly what waits. */
  #bytes = 0;
  #waiting: M[] = [];
  /** Of each host whose last message that waits is changes: those. More may be added. */
  readonly #changes = new Map<string, { changes: Changes; bytes: number }>();
  #scheduled = false;
  #full = false;
  #closed = false;
  #awaitingRoom: (() => void)[] = [];

  constructor(stream: FrameStream<M>, { mostBytes, onFull }: OutboxBound = NO_BOUND) {
    this.#stream = stream;
    this.#mostBytes = mostBytes;
    this.#onFull = onFull;
  }

  push(message: M): void {
    if (this.#closed) return;
    const bytes = approximateBytes(message);
    this.#bytes += bytes;
    // A stream that takes something may be given much at once: only what it leaves lying is bounded.
    if (this.#full && this.#bytes > this.#mostBytes) {
      this.drop();
      this.#onFull();
      return;
    }
    if (this.#joins(message, bytes)) return;
    this.#waiting.push(message);
    if (this.#scheduled || this.#full) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      this.#send(false);
    });
  }

  /** Resolves when the stream takes more, or when it never will again. Who has much to say waits for it between two messages. */
  async room(): Promise<void> {
    // What was pushed in this turn goes at its end, and may fill the stream.
    if (this.#scheduled) await new Promise<void>((resolve) => setImmediate(resolve));
    while (this.#full && !this.#closed) await new Promise<void>((resolve) => this.#awaitingRoom.push(resolve));
  }

  /** Whether the message was added to one that waits. */
  #joins(message: M, bytes: number): boolean {
    if (message.body !== 'changes') {
      this.#changes.delete(message.host);
      return false;
    }
    const before = this.#changes.get(message.host);
    if (before && before.bytes + bytes <= JOINED_BYTES && join(before.changes, message.changes)) {
      before.bytes += bytes;
      return true;
    }
    const { changed, removed } = message.changes;
    message.changes = { changed: [...changed], removed: [...removed] };
    this.#changes.set(message.host, { changes: message.changes, bytes });
    return false;
  }

  /** Hands over everything at once and takes no more: the stream is about to be ended. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#send(true);
    this.#tellRoom();
  }

  /** Drops what was not sent: the stream is gone. */
  drop(): void {
    this.#closed = true;
    this.#waiting = [];
    this.#bytes = 0;
    this.#tellRoom();
  }

  #tellRoom(): void {
    for (const resolve of this.#awaitingRoom.splice(0)) resolve();
  }

  #send(evenIfFull: boolean): void {
    const waiting = this.#waiting;
    this.#changes.clear();
    let from = 0;
    while (from < waiting.length && (evenIfFull || !this.#full)) {
      const until = endOfFrame(waiting, from);
      const messages = waiting.slice(from, until);
      from = until;
      for (const message of messages) this.#bytes -= approximateBytes(message);
      if (!this.#stream.write({ messages })) this.#awaitDrain();
    }
    this.#waiting = waiting.slice(from);
    if (this.#waiting.length === 0) this.#bytes = 0;
  }

  #awaitDrain(): void {
    if (this.#full) return;
    this.#full = true;
    this.#stream.once('drain', () => {
      this.#full = false;
      this.#send(false);
      if (!this.#full) this.#tellRoom();
    });
  }
}

/** Adds what changed later, if the two can be told as one: who hears them takes in what changed, then what went. */
function join(before: Changes, later: Changes): boolean {
  if (before.removed.length > 0 && later.changed.length > 0) return false;
  before.changed.push(...later.changed);
  before.removed.push(...later.removed);
  return true;
}

function endOfFrame(messages: readonly (AgentMessage | ServerMessage)[], from: number): number {
  let bytes = 0;
  let until = from;
  while (until < messages.length) {
    bytes += approximateBytes(messages[until]!);
    if (bytes > FRAME_BYTES && until > from) break;
    until += 1;
  }
  return until;
}

/** Roughly what the message takes on the wire: good enough to bound frames, and much cheaper than encoding it. */
function approximateBytes(message: AgentMessage | ServerMessage): number {
  const resources = (lives: readonly { resource: WireResource | null }[]) =>
    lives.reduce((bytes, { resource }) => bytes + resourceBytes(resource), 0);
  switch (message.body) {
    case 'snapshot':
      return 64 + resources(message.snapshot.resources);
    case 'changes':
      return 64 + resources(message.changes.changed) + 64 * message.changes.removed.length;
    case 'command':
      return 128 + resources(message.command.steps);
    case 'result':
      return 64 + message.result.steps.reduce((bytes, step) => bytes + 64 + step.message.length, 0);
    default:
      return 256;
  }
}

/** Roughly what a resource takes on the wire, in bytes. */
export function resourceBytes(resource: WireResource | null): number {
  return 128 + (resource?.spec.length ?? 0);
}
