/** A server that speaks libvirt's protocol, for tests of its client. */
import { mkdtemp, rm } from 'node:fs/promises';
import type { Server, Socket } from 'node:net';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Packet } from './packet.ts';
import { encodePacket, PacketCutter, packetStatus, packetType, REMOTE_PROGRAM } from './packet.ts';
import { XdrWriter } from './xdr.ts';

/** Answers a call, or leaves it without an answer. */
export type Handler = (call: Packet, reply: (payload: Buffer) => void, refuse: (payload: Buffer) => void) => void;

export class FakeLibvirtd {
  /** Everything that clients sent. */
  readonly received: Packet[] = [];
  handler: Handler = answerGreeting;
  #folder = '';
  #server: Server | undefined;
  readonly #sockets = new Set<Socket>();

  static async start(): Promise<FakeLibvirtd> {
    const fake = new FakeLibvirtd();
    fake.#folder = await mkdtemp(join(tmpdir(), 'plumb-rpc-'));
    await fake.listen();
    return fake;
  }

  get path(): string {
    return join(this.#folder, 'sock');
  }

  async listen(): Promise<void> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
  }

  /** The daemon dies: connections break, and nobody listens. */
  async die(): Promise<void> {
    const closed = new Promise((resolve) => this.#server?.close(resolve));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  /** Sends a packet of its own to everybody. */
  send(packet: Partial<Packet>): void {
    const whole: Packet = {
      program: REMOTE_PROGRAM,
      procedure: 0,
      type: packetType.message,
      serial: 0,
      status: packetStatus.ok,
      payload: Buffer.alloc(0),
      ...packet,
    };
    for (const socket of this.#sockets) socket.write(encodePacket(whole));
  }

  async stop(): Promise<void> {
    await this.die();
    await rm(this.#folder, { recursive: true });
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    const cutter = new PacketCutter();
    socket.on('data', (chunk: Buffer) => {
      for (const packet of cutter.push(chunk)) {
        this.received.push(packet);
        const answer = (status: number) => (payload: Buffer) =>
          socket.write(encodePacket({ ...packet, type: packetType.reply, status, payload }));
        if (packet.type === packetType.call) this.handler(packet, answer(packetStatus.ok), answer(packetStatus.error));
      }
    });
  }
}

/** Lets everybody in without authentication (procedure 66), opens, and registers for events. */
export function answerGreeting(call: Packet, reply: (payload: Buffer) => void): void {
  reply(call.procedure === 66 ? new XdrWriter().uint(1).int(0).finish() : new XdrWriter().int(1).finish());
}

/** Payload of an error (remote_error) as libvirt sends it. */
export function errorPayload(code: number, message: string): Buffer {
  return new XdrWriter().int(code).int(10).optionalString(message).int(2).uint(0).uint(0).uint(0).uint(0).finish();
}
