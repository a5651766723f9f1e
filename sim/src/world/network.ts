/** Connections between agents and the control plane: in order, late, and sometimes gone with what was under way. */
import { EventEmitter } from 'node:events';
import type { FrameCall as ClientCall } from '@plumb/agent/session/dial.ts';
import type { EndpointHandlers } from '@plumb/reconciler/fleet/fleet-endpoint.ts';
import type { CallFailure } from '@plumb/reconciler/fleet/grpc/call-failure.ts';
import { type PlumbError, retryable } from '@plumb/schemas';
import { readCallMetadata } from '@plumb/schemas/wire/call-metadata.ts';
import { agentFrame, serverFrame } from '@plumb/schemas/wire/codec.ts';
import type { AgentFrame, JoinRequest, ServerFrame, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import type { Dice } from '../core/dice.ts';
import type { SimLoop } from '../core/loop.ts';
import type { SimProcess } from '../core/process.ts';
import type { Fate, Point } from './fates.ts';
import { ServerCall } from './server-call.ts';
import type { Wire } from './wire.ts';

/** As gRPC's keepalive is set on both ends (agent/src/session/dial.ts). */
const KEEPALIVE_MS = 30_000;

export interface Listening {
  process: SimProcess;
  handlers: EndpointHandlers;
}

export interface NetworkOptions {
  loop: SimLoop;
  dice: Dice;
  trace(line: string): void;
  fate(point: Point): Fate | undefined;
  /** The control plane that listens now. */
  listening(): Listening | undefined;
  /** What becomes of what is said on the way: as peers of another version would say and hear it. As it is, if absent. */
  wire?: Wire | undefined;
  /** Told when a host may not join, and why. */
  onRefused(host: string, reason: string): void;
}

export class Network {
  readonly options: NetworkOptions;
  readonly links = new Set<Link>();
  readonly partitioned = new Set<string>();
  #numbers = 0;

  constructor(options: NetworkOptions) {
    this.options = options;
  }

  latency(): number {
    const { dice } = this.options;
    return dice.chance(0.03) ? dice.between(20, 400) : dice.between(1, 4) / 2;
  }

  /** An agent's call that connects; the control plane learns of it later. */
  connect(host: string, agent: SimProcess, address: string, metadata: Record<string, string>): Link {
    const said = this.options.wire?.metadata(metadata) ?? metadata;
    const link = new Link(this, host, agent, ++this.#numbers, { address, metadata: said });
    this.links.add(link);
    return link;
  }

  async join(host: string, agent: SimProcess, request: JoinRequest): Promise<void> {
    await agent.pause(this.latency());
    const server = this.partitioned.has(host) ? undefined : this.options.listening();
    const unreachable = retryable('ServerUnreachable', 'no connection could be made');
    if (!server) throw unreachable;
    const answer = Promise.withResolvers<void>();
    server.process.onEnd(() => answer.reject(unreachable));
    server.process.whileAlive(server.handlers.join(request, '192.0.2.1')).then(answer.resolve, (error: PlumbError) => {
      this.options.onRefused(host, error.reason);
      answer.reject(error);
    });
    await agent.whileAlive(answer.promise);
    await agent.pause(this.latency());
  }

  partition(host: string): void {
    if (this.partitioned.has(host)) return;
    this.partitioned.add(host);
    for (const link of this.links) if (link.host === host) link.onPartition();
  }

  heal(host: string): void {
    if (!this.partitioned.delete(host)) return;
    for (const link of [...this.links]) if (link.host === host) link.onHeal();
  }

  /** Every connection of the host breaks, with what was under way. */
  cut(host: string): void {
    for (const link of [...this.links]) if (link.host === host) link.break();
  }

  /** The newest connection of the host that is open. */
  newest(host: string): Link | undefined {
    let newest: Link | undefined;
    for (const link of this.links) if (link.host === host && link.open) newest = link;
    return newest;
  }
}

/** What travels: a frame, or the news that no more will come. */
type Parcel = { bytes: Buffer } | { event: 'end' | 'error' | 'cancelled'; error?: Error };

/** One end of a connection, in the shape of grpc-js's calls. */
export class End extends EventEmitter {
  readonly #link: Link;
  readonly side: 'agent' | 'server';
  /** Nothing is heard any more. */
  deaf = false;

  constructor(link: Link, side: 'agent' | 'server') {
    super();
    this.#link = link;
    this.side = side;
  }

  write(frame: AgentFrame | ServerFrame): boolean {
    this.#link.write(this.side, frame);
    return true;
  }

  end(): void {
    this.#link.finish(this.side);
  }

  /** Refuses the call: its caller hears with which code. */
  fail({ code, message }: CallFailure): void {
    this.#link.fail(Object.assign(new Error(message), { code, details: message }));
  }

  /** Gives the call up: grpc-js tells the caller with an error. */
  cancel(): void {
    this.#link.cancel();
  }
}

/** Where the agent's end of a connection is, and what it says before its first frame. */
interface CallFrom {
  address: string;
  metadata: Record<string, string>;
}

export class Link {
  readonly host: string;
  readonly number: number;
  readonly agent: SimProcess;
  server: SimProcess | undefined;
  open = true;
  readonly #network: Network;
  readonly #ends: Record<'agent' | 'server', End>;
  readonly #lastDue = { agent: 0, server: 0 };
  readonly #held: { to: 'agent' | 'server'; parcel: Parcel }[] = [];
  #connected = false;

  readonly #from: CallFrom;

  constructor(network: Network, host: string, agent: SimProcess, number: number, from: CallFrom) {
    this.#network = network;
    this.#from = from;
    this.host = host;
    this.agent = agent;
    this.number = number;
    this.#ends = { agent: new End(this, 'agent'), server: new End(this, 'server') };
    agent.onEnd(() => this.#processEnded('agent'));
    this.#network.options.loop.after(network.latency(), () => this.#connect());
    if (network.partitioned.has(host)) this.onPartition();
  }

  get call(): ClientCall {
    return this.#ends.agent as unknown as ClientCall;
  }

  write(from: 'agent' | 'server', frame: AgentFrame | ServerFrame): void {
    if (!this.open || !this.#processOf(from)?.alive) return;
    const said = from === 'agent' ? agentFrame.encode(frame as AgentFrame) : serverFrame.encode(frame as ServerFrame);
    const bytes = this.#network.options.wire?.[from](said) ?? said;
    this.#post(from === 'agent' ? 'server' : 'agent', { bytes });
  }

  finish(from: 'agent' | 'server'): void {
    if (!this.open || !this.#processOf(from)?.alive) return;
    this.#post(from === 'agent' ? 'server' : 'agent', { event: 'end' });
    if (from === 'server') this.#close(false);
  }

  fail(error: Error): void {
    if (!this.open || !this.server?.alive) return;
    this.#post('agent', { event: 'error', error });
    this.#close(false);
  }

  cancel(): void {
    if (!this.open) return;
    this.#post('server', { event: 'cancelled' });
    this.#close(false);
    this.#network.options.loop.after(0, () => this.#emit('agent', { event: 'error' }));
  }

  /** Both ends lose it, with what was under way; each learns of it in its own time. */
  break(): void {
    if (!this.open) return;
    const { loop, dice } = this.#network.options;
    this.#close(true);
    loop.after(dice.between(0, 300), () => this.#emit('agent', { event: 'error' }));
    loop.after(dice.between(0, 300), () => this.#emit('server', { event: 'cancelled' }));
  }

  onPartition(): void {
    this.#network.options.loop.after(KEEPALIVE_MS, () => {
      if (!this.#network.partitioned.has(this.host)) return;
      this.#close(true);
      this.#emit('agent', { event: 'error' });
      this.#emit('server', { event: 'cancelled' });
    });
  }

  onHeal(): void {
    if (!this.#connected) this.#connect();
    for (const { to, parcel } of this.#held.splice(0))
      this.#network.options.loop.after(0, () => this.#arrive(to, parcel));
  }

  #connect(): void {
    const network = this.#network;
    const { host } = this;
    if (this.#connected || !this.open || network.partitioned.has(host)) return;
    const listening = network.options.listening();
    if (!listening?.process.alive) {
      this.#close(true);
      this.#emit('agent', { event: 'error' });
      return;
    }
    this.#connected = true;
    this.server = listening.process;
    listening.process.onEnd(() => this.#processEnded('server'));
    const { address, metadata } = this.#from;
    listening.handlers.connect(new ServerCall(this.#ends.server, address, readCallMetadata(metadata)));
    for (const { to, parcel } of this.#held.splice(0)) this.#post(to, parcel);
  }

  /** In order: nothing overtakes what was sent before it. */
  #post(to: 'agent' | 'server', parcel: Parcel): void {
    const { loop } = this.#network.options;
    if (!this.#connected && to === 'server') {
      this.#held.push({ to, parcel });
      return;
    }
    const due = Math.max(this.#lastDue[to], loop.now + this.#network.latency());
    this.#lastDue[to] = due;
    loop.after(due - loop.now, () => this.#arrive(to, parcel));
  }

  #arrive(to: 'agent' | 'server', parcel: Parcel): void {
    if (this.#ends[to].deaf) return;
    if (this.#network.partitioned.has(this.host)) {
      this.#held.push({ to, parcel });
      return;
    }
    if ('event' in parcel) {
      this.#emit(to, parcel);
      return;
    }
    const { options } = this.#network;
    const frame = (to === 'agent' ? serverFrame : agentFrame).decode(parcel.bytes);
    const what = summary(frame);
    options.trace(`link ${this.number} ${this.host} to ${to}: ${what} ${parcel.bytes.length}`);
    const fate = what === '' ? undefined : options.fate({ at: 'frame', to, host: this.host, what });
    if (fate === 'cut') {
      this.break();
      return;
    }
    if (fate === 'again late' && to === 'agent') this.#again((frame as ServerFrame).messages);
    if (this.#processOf(to)?.alive && !this.#ends[to].deaf) this.#ends[to].emit('data', frame);
  }

  /** The commands arrive once more, on whatever connection there is by then. */
  #again(messages: readonly ServerMessage[]): void {
    const { loop, dice, trace } = this.#network.options;
    const commands = messages.filter((message) => message.body === 'command');
    if (commands.length === 0) return;
    loop.after(dice.between(1, 8_000), () => {
      const link = this.#network.newest(this.host);
      if (!link?.agent.alive) return;
      trace(`link ${link.number} ${this.host}: ${commands.length} commands once more`);
      link.#ends.agent.emit('data', { messages: commands });
    });
  }

  #emit(to: 'agent' | 'server', parcel: Parcel): void {
    const end = this.#ends[to];
    if (end.deaf || !('event' in parcel) || !this.#processOf(to)?.alive) return;
    end.deaf = true;
    if (to === 'agent') this.#network.links.delete(this);
    if (parcel.event === 'error') end.emit('error', parcel.error ?? new Error('the connection was lost'));
    else end.emit(parcel.event);
  }

  /** A process ended: what it had sent may still arrive, then the other end hears that it is gone. */
  #processEnded(side: 'agent' | 'server'): void {
    if (!this.open) return;
    const { dice } = this.#network.options;
    const other = side === 'agent' ? 'server' : 'agent';
    this.#ends[side].deaf = true;
    if (side === 'agent') this.#network.links.delete(this);
    if (dice.chance(0.5)) this.#lastDue[other] = 0;
    this.#post(other, { event: other === 'agent' ? 'error' : 'cancelled' });
    this.#close(false);
  }

  /** `lose`: what is under way is lost as well. */
  #close(lose: boolean): void {
    if (!this.open) return;
    this.open = false;
    if (!lose) return;
    this.#held.length = 0;
    for (const to of ['agent', 'server'] as const) this.#lose(to);
  }

  #lose(to: 'agent' | 'server'): void {
    const end = this.#ends[to];
    const emit = end.emit.bind(end);
    end.emit = (event, ...given) => (event === 'data' ? false : emit(event, ...given));
  }

  #processOf(side: 'agent' | 'server'): SimProcess | undefined {
    return side === 'agent' ? this.agent : this.server;
  }
}

function summary(frame: AgentFrame | ServerFrame): string {
  const words: string[] = [];
  for (const { body } of frame.messages) if (body !== undefined && body !== 'heartbeat') words.push(body);
  return [...new Set(words)].join(' ');
}
