import type { Socket } from 'node:net';
import { connect } from 'node:net';
import type { Clock } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import { socketDistrust } from '@plumb/schemas/files/trusted-text.ts';
import type { Packet } from './packet.ts';
import { encodePacket, KEEPALIVE_PROGRAM, PacketCutter, packetStatus, packetType, REMOTE_PROGRAM } from './packet.ts';
import { decodeError } from './remote-error.ts';
import { XdrReader } from './xdr.ts';

/** A libvirt call by its number in the protocol and the name that errors show. */
export interface Procedure {
  name: string;
  number: number;
}

export interface ConnectionListener {
  /** A message that libvirt sent on its own: its procedure number and content. */
  event(procedure: number, content: XdrReader): void;
  /** The connection is no more; `why` is a sentence. Called once. */
  closed(why: string): void;
}

const KEEPALIVE_MS = 5_000;
const MISSED_KEEPALIVES = 4;
const keepalive = { ping: 1, pong: 2 } as const;

interface Waiting {
  procedure: Procedure;
  resolve(reply: XdrReader): void;
  reject(error: Error): void;
}

/** One connection to libvirt's socket: calls run side by side, told apart by their serial numbers. */
export class RpcConnection {
  readonly #socket: Socket;
  readonly #listener: ConnectionListener;
  readonly #clock: Clock;
  readonly #cutter = new PacketCutter();
  readonly #waiting = new Map<number, Waiting>();
  #serial = 0;
  #unansweredPings = 0;
  #stopKeepalive = () => {};
  #closed: string | undefined;

  /** Connects to the unix socket at `path`. Rejects with `LibvirtUnavailable` (retry). */
  static open(path: string, listener: ConnectionListener, clock: Clock): Promise<RpcConnection> {
    return new Promise((resolve, reject) => {
      const distrust = socketDistrust(path);
      if (distrust) return reject(unavailable(path, distrust.message));
      const socket = connect(path);
      const refuse = (error: Error) => reject(unavailable(path, error.message));
      socket.once('error', refuse);
      socket.once('connect', () => {
        socket.off('error', refuse);
        resolve(new RpcConnection(socket, path, listener, clock));
      });
    });
  }

  private constructor(socket: Socket, path: string, listener: ConnectionListener, clock: Clock) {
    this.#socket = socket;
    this.#listener = listener;
    this.#clock = clock;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', (error) => this.#end(`the connection to ${path} broke: ${error.message}`));
    socket.on('close', () => this.#end(`libvirt closed the connection at ${path}`));
    this.#keepAlive(path);
  }

  /**
   * Calls a procedure with encoded arguments; resolves to its encoded result. Rejects with LibvirtError when libvirt
   * refuses, with `LibvirtUnavailable` (retry) when the connection breaks first: the call may have been carried out.
   */
  call(procedure: Procedure, args: Buffer = Buffer.alloc(0)): Promise<XdrReader> {
    if (this.#closed !== undefined) return Promise.reject(retryable('LibvirtUnavailable', this.#closed));
    this.#serial = (this.#serial + 1) >>> 0;
    const serial = this.#serial;
    return new Promise((resolve, reject) => {
      this.#waiting.set(serial, { procedure, resolve, reject });
      this.#send({
        program: REMOTE_PROGRAM,
        procedure: procedure.number,
        type: packetType.call,
        serial,
        payload: args,
      });
    });
  }

  close(): void {
    this.#end('the connection to libvirt was closed');
  }

  #send(packet: Omit<Packet, 'status'>): void {
    this.#socket.write(encodePacket({ ...packet, status: packetStatus.ok }));
  }

  #receive(chunk: Buffer): void {
    this.#unansweredPings = 0;
    try {
      for (const packet of this.#cutter.push(chunk)) this.#handle(packet);
    } catch (thrown) {
      this.#end(`libvirt sent what is not its protocol: ${thrown instanceof Error ? thrown.message : thrown}`);
    }
  }

  #handle(packet: Packet): void {
    if (packet.program === KEEPALIVE_PROGRAM) {
      if (packet.procedure === keepalive.ping) this.#sendKeepalive(keepalive.pong);
    } else if (packet.type === packetType.message) {
      this.#listener.event(packet.procedure, new XdrReader(packet.payload));
    } else if (packet.type === packetType.reply) {
      const waiting = this.#waiting.get(packet.serial);
      if (waiting === undefined) return;
      this.#waiting.delete(packet.serial);
      if (packet.status === packetStatus.ok) waiting.resolve(new XdrReader(packet.payload));
      else waiting.reject(decodeError(packet.payload, waiting.procedure.name));
    }
  }

  /** A daemon that hangs keeps its socket open: only silence tells. */
  #keepAlive(path: string): void {
    this.#stopKeepalive = this.#clock.after(KEEPALIVE_MS, () => {
      if (this.#unansweredPings >= MISSED_KEEPALIVES)
        return this.#end(`libvirt at ${path} has not answered for ${(KEEPALIVE_MS * MISSED_KEEPALIVES) / 1000} s`);
      this.#unansweredPings += 1;
      this.#sendKeepalive(keepalive.ping);
      this.#keepAlive(path);
    });
  }

  #sendKeepalive(procedure: number): void {
    this.#send({
      program: KEEPALIVE_PROGRAM,
      procedure,
      type: packetType.message,
      serial: 0,
      payload: Buffer.alloc(0),
    });
  }

  #end(why: string): void {
    if (this.#closed !== undefined) return;
    this.#closed = why;
    this.#stopKeepalive();
    this.#socket.destroy();
    for (const waiting of this.#waiting.values())
      waiting.reject(retryable('LibvirtUnavailable', `${waiting.procedure.name} got no answer: ${why}`));
    this.#waiting.clear();
    this.#listener.closed(why);
  }
}

function unavailable(path: string, why: string) {
  return retryable('LibvirtUnavailable', `Cannot reach libvirt at ${path}: ${why}. Is libvirtd running?`);
}
