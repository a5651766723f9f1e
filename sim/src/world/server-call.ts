import type { FrameCall, Heard, Peer } from '@plumb/reconciler/fleet/frame-call.ts';
import type { CallFailure } from '@plumb/reconciler/fleet/grpc/call-failure.ts';
import type { CallFacts } from '@plumb/schemas/wire/call-metadata.ts';
import type { ServerFrame } from '@plumb/schemas/wire/messages.ts';
import type { End } from './network.ts';

/** The server's end of a connection, in the shape in which the product takes calls. */
export class ServerCall implements FrameCall {
  readonly facts: CallFacts;
  readonly peer: Peer;
  readonly #end: End;
  readonly #unread: Heard[] = [];
  #listener: ((heard: Heard) => void) | undefined;
  #awaited: ((heard: Heard | undefined) => void) | undefined;
  #held: object | undefined;
  #onEnd: (why: string) => void = () => {};
  #ended: string | undefined;

  constructor(end: End, address: string, facts: CallFacts) {
    this.#end = end;
    this.facts = facts;
    this.peer = { address, identified() {}, refused() {}, use: () => () => {} };
    end.on('data', ({ messages }: { messages: Heard }) => {
      this.#unread.push(messages);
      this.#read();
    });
    end.on('end', () => this.#finish('the agent took its leave'));
    end.on('error', (error: Error) => this.#finish(error.message));
    end.on('cancelled', () => this.#finish('the connection was lost'));
  }

  first(): Promise<Heard | undefined> {
    const { promise, resolve } = Promise.withResolvers<Heard | undefined>();
    if (this.#ended === undefined) this.#awaited = resolve;
    else resolve(undefined);
    this.#read();
    return promise;
  }

  open(listener: (heard: Heard) => void): void {
    this.#listener = listener;
    this.#read();
  }

  hold(): () => void {
    const held = {};
    this.#held = held;
    return () => {
      if (this.#held !== held) return;
      this.#held = undefined;
      this.#read();
    };
  }

  onEnd(listener: (why: string) => void): void {
    if (this.#ended === undefined) this.#onEnd = listener;
    else listener(this.#ended);
  }

  write(frame: ServerFrame): boolean {
    return this.#end.write(frame);
  }

  once(event: 'drain', listener: () => void): void {
    this.#end.once(event, listener);
  }

  end(): void {
    this.#end.end();
    this.#finish('the server ended it');
  }

  fail(failure: CallFailure): void {
    this.#end.fail(failure);
    this.#finish(failure.message);
  }

  #read(): void {
    while (this.#ended === undefined && this.#held === undefined && this.#unread.length > 0) {
      const awaited = this.#awaited;
      if (this.#listener) this.#listener(this.#unread.shift()!);
      else if (awaited) {
        this.#awaited = undefined;
        awaited(this.#unread.shift());
      } else return;
    }
  }

  #finish(why: string): void {
    if (this.#ended !== undefined) return;
    this.#ended = why;
    this.#awaited?.(undefined);
    this.#onEnd(why);
  }
}
