/**
 * Taps in the hands of a QEMU, as those of guests are, with this process in the place of the guests: it sends what it
 * likes and hears what reaches it, frame by frame.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

type Heard = (tap: string, frame: Buffer) => void;

const BIGGEST_FRAME = 70_000;

export class HeldTaps {
  readonly #folder: string;
  readonly #sockets = new Map<string, Socket>();
  readonly #servers: Server[] = [];
  #qemu: ChildProcess | undefined;
  readonly #listeners = new Set<Heard>();

  /** Takes the taps, which are there already, in the network namespace at this path. */
  static async open(namespace: string, taps: readonly string[]): Promise<HeldTaps> {
    const held = new HeldTaps(await mkdtemp(join(tmpdir(), 'plumb-taps-')));
    try {
      await held.#open(namespace, taps);
      return held;
    } catch (thrown) {
      await held.close();
      throw thrown;
    }
  }

  private constructor(folder: string) {
    this.#folder = folder;
  }

  /** Calls `heard` with every frame that a tap is sent, until the function that it returns is called. */
  listen(heard: Heard): () => void {
    this.#listeners.add(heard);
    return () => this.#listeners.delete(heard);
  }

  send(tap: string, frame: Buffer): void {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(frame.length);
    this.#sockets.get(tap)?.write(Buffer.concat([length, frame]));
  }

  async close(): Promise<void> {
    const { promise: ended, resolve } = Promise.withResolvers<void>();
    if (this.#qemu?.exitCode !== null) resolve();
    this.#qemu?.once('exit', () => resolve());
    this.#qemu?.kill('SIGKILL');
    await ended;
    for (const socket of this.#sockets.values()) socket.destroy();
    for (const server of this.#servers) server.close();
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #open(namespace: string, taps: readonly string[]): Promise<void> {
    const connected = taps.map((tap, index) => this.#listen(tap, join(this.#folder, String(index))));
    const wires = taps.flatMap((tap, index) => [
      ...['-netdev', `tap,id=t${index},ifname=${tap},script=no,downscript=no`],
      ...['-netdev', `stream,id=s${index},server=off,addr.type=unix,addr.path=${join(this.#folder, String(index))}`],
      ...['-netdev', `hubport,id=ht${index},hubid=${index},netdev=t${index}`],
      ...['-netdev', `hubport,id=hs${index},hubid=${index},netdev=s${index}`],
    ]);
    const qemu = ['qemu-system-x86_64', '-machine', 'none', '-nodefaults', '-display', 'none', ...wires];
    const child = spawn('nsenter', [`--net=${namespace}`, '--', ...qemu], { stdio: ['ignore', 'ignore', 'pipe'] });
    this.#qemu = child;
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
    const failed = new Promise<never>((_resolve, reject) => {
      child.once('error', reject);
      child.once('exit', () => reject(new Error(`QEMU ended: ${said}`)));
    });
    failed.catch(() => {});
    await Promise.race([Promise.all(connected), failed]);
  }

  #listen(tap: string, path: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const server = createServer((socket) => {
        this.#sockets.set(tap, socket);
        socket.on('error', () => {}); // QEMU goes first.
        readFrames(socket, (frame) => {
          for (const heard of this.#listeners) heard(tap, frame);
        });
        resolve();
      });
      this.#servers.push(server);
      server.once('error', reject);
      server.listen(path);
    });
  }
}

/** QEMU writes the length of a frame in four bytes, then the frame. */
function readFrames(socket: Socket, heard: (frame: Buffer) => void): void {
  let rest: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    while (rest.length >= 4) {
      const length = rest.readUInt32BE(0);
      if (length > BIGGEST_FRAME) throw new Error(`a frame of ${length} bytes`);
      if (rest.length < 4 + length) return;
      heard(Buffer.from(rest.subarray(4, 4 + length)));
      rest = rest.subarray(4 + length);
    }
  });
}
