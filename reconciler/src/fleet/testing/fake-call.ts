/** The server's end of a call, and what an agent does at the other. */
import { EventEmitter } from 'node:events';
import { PROTOCOL } from '@plumb/schemas/wire/call-metadata.ts';
import type { AgentMessage, Broken, ServerFrame, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import type { FrameCall, Heard } from '../frame-call.ts';
import type { CallFailure } from '../grpc/call-failure.ts';

const TYPES = ['image', 'bridge', 'subnet', 'disk', 'seed', 'port', 'domain'];

export class FakeCall extends EventEmitter implements FrameCall {
  readonly heard: ServerMessage[] = [];
  readonly facts: FrameCall['facts'];
  /** Who has shown a credential on the connection, and how often something was refused. */
  readonly shown: string[] = [];
  refusals = 0;
  failure: CallFailure | undefined;
  ended = false;
  /** Whether the agent takes what is sent. */
  takes = true;
  readonly peer = {
    address: '192.0.2.9',
    identified: (host: string) => void this.shown.push(host),
    refused: () => void this.refusals++,
    use: () => () => {},
  };
  readonly #said: Heard[] = [];
  #listener: ((heard: Heard) => void) | undefined;
  #awaited: ((heard: Heard | undefined) => void) | undefined;
  #holds = 0;
  #onEnd: (why: string) => void = () => {};

  /** `bearer`: who opens the call, with its name as its credential; undefined: an agent of the version before. */
  constructor(bearer?: { host: string; credential: string }) {
    super();
    this.facts = { protocol: bearer ? PROTOCOL : 1, types: TYPES, bearer };
  }

  /** Whether nothing is read. */
  get isHeld(): boolean {
    return this.#holds > 0;
  }

  first(): Promise<Heard | undefined> {
    return new Promise((resolve) => {
      this.#awaited = resolve;
      this.#read();
    });
  }

  open(listener: (heard: Heard) => void): void {
    this.#listener = listener;
    this.#read();
  }

  hold(): () => void {
    this.#holds++;
    return () => {
      this.#holds--;
      this.#read();
    };
  }

  onEnd(listener: (why: string) => void): void {
    this.#onEnd = listener;
    if (this.ended) listener('it was gone');
  }

  write(frame: ServerFrame): boolean {
    this.heard.push(...frame.messages);
    return this.takes;
  }

  end(): void {
    if (this.ended) return;
    this.ended = true;
    this.#awaited?.(undefined);
    this.emit('close');
    this.#onEnd('the connection was lost');
  }

  fail(failure: CallFailure): void {
    this.failure = failure;
    this.end();
  }

  say(...messages: (AgentMessage | Broken)[]): void {
    this.#said.push(messages);
    this.#read();
  }

  attach(host: string, credential = host): void {
    const facts = { driver: 'simulated', agentVersion: '1', cpus: 1, memoryMib: 1, tunnelAddress: '' };
    const attach = { credential, facts, highestTerm: 0, runningCommands: [], registerZone: '' };
    this.say({ host, body: 'attach', attach });
  }

  last<B extends ServerMessage['body']>(body: B): Extract<ServerMessage, { body: B }> | undefined {
    return this.heard.findLast((message) => message.body === body) as Extract<ServerMessage, { body: B }> | undefined;
  }

  #read(): void {
    while (!this.ended && this.#holds === 0 && this.#said.length > 0) {
      const awaited = this.#awaited;
      if (this.#listener) this.#listener(this.#said.shift()!);
      else if (awaited) {
        this.#awaited = undefined;
        awaited(this.#said.shift());
      } else return;
    }
  }
}
