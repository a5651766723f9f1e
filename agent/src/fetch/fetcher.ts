/**
 * The agent's end of the process that fetches images: one for all fetches, started when the first is wanted, ended when there
 * was none for a while, and started anew when it died.
 */
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { SourceRulesInit } from '@plumb/schemas/sources/source-rules.ts';
import { FETCH_USER, MAKE_FETCH_USER, type User } from '@plumb/schemas/sources/users.ts';
import { unavailable } from './failures.ts';
import { type FetcherProcess, startFetcher } from './fetcher-process.ts';
import { encodeFrame, FRAME, type Frame, FrameReader, numberPayload, parseFailure } from './frames.ts';
import { Incoming } from './incoming.ts';
import type { OpenSource, Source } from './open-source.ts';

export interface FetcherOptions {
  rules: SourceRulesInit;
  /** As whom images are fetched; looked up at each start of the process. Undefined: there is no such user. */
  user: () => Promise<User | undefined>;
  clock: Clock;
  log: (line: string) => void;
}

/** How long a process without a fetch is kept. */
const IDLE_MS = 30_000;
const MOST_SAID = 2000;

export class Fetcher {
  readonly #options: FetcherOptions;
  #running: Promise<Running> | undefined;
  #fetches = 0;
  #stopIdle = () => {};
  #closed = false;

  constructor(options: FetcherOptions) {
    this.#options = options;
  }

  /** As {@link OpenSource}; also `FetchUserMissing` (terminal). */
  readonly open: OpenSource = async (url, signal) => {
    signal.throwIfAborted();
    this.#stopIdle();
    this.#fetches++;
    let source: Source | undefined;
    const done = () => {
      this.#fetches--;
      if (this.#fetches === 0) this.#stopIdle = this.#options.clock.after(IDLE_MS, () => this.#end());
    };
    try {
      const running = await this.#start(url);
      source = await running.open(url, signal);
      const { close } = source;
      let closed = false;
      return {
        ...source,
        close() {
          if (closed) return;
          closed = true;
          close();
          done();
        },
      };
    } finally {
      if (source === undefined) done();
    }
  };

  /** Ends the process, and with it every fetch. */
  close(): void {
    this.#closed = true;
    this.#end();
  }

  #end(): void {
    this.#stopIdle();
    const running = this.#running;
    this.#running = undefined;
    running?.then(
      (it) => it.end(),
      () => {},
    );
  }

  async #start(url: string): Promise<Running> {
    if (this.#closed) throw unavailable(url, 'the agent is ending');
    this.#running ??= this.#begin();
    const starting = this.#running;
    const forget = () => {
      if (this.#running === starting) this.#running = undefined;
    };
    try {
      const running = await starting;
      void running.ended.then(forget);
      return running;
    } catch (thrown) {
      forget();
      throw thrown;
    }
  }

  async #begin(): Promise<Running> {
    const { rules, log } = this.#options;
    return new Running(await startFetcher(rules, await this.#requireUser()), log);
  }

  /** Undefined where the agent is not root: the process is as the agent then. Root itself fetches nothing. */
  async #requireUser(): Promise<User | undefined> {
    if (process.getuid?.() !== 0) return undefined;
    const user = await this.#options.user();
    if (user !== undefined && user.uid !== 0 && user.gid !== 0) return user;
    throw terminal(
      'FetchUserMissing',
      `images are fetched by the user ${FETCH_USER}, which is not on this host; make it: ${MAKE_FETCH_USER}`,
    );
  }
}

/** One life of the process. */
class Running {
  readonly #process: FetcherProcess;
  readonly #log: (line: string) => void;
  readonly #incoming = new Map<number, Incoming>();
  readonly #reader = new FrameReader();
  #last = 0;
  #isOver = false;
  #said = '';
  /** Resolves when it has ended. */
  readonly ended: Promise<void>;

  constructor(started: FetcherProcess, log: (line: string) => void) {
    this.#process = started;
    this.#log = log;
    const { child, channel, setup } = started;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.ended = promise;
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      this.#said = (this.#said + text).slice(-MOST_SAID);
    });
    child.on('error', (error) => this.#lost(error.message, resolve));
    child.on('close', (code, signal) => this.#lost(`it ended (${signal ?? code})`, resolve));
    channel.on('error', () => child.kill('SIGKILL'));
    channel.on('data', (chunk: Buffer) => this.#read(chunk));
    this.#say(FRAME.setup, 0, Buffer.from(JSON.stringify(setup)));
  }

  open(url: string, signal: AbortSignal): Promise<Source> {
    const id = ++this.#last;
    const incoming = new Incoming(url, signal, {
      taken: (bytes) => this.#say(FRAME.credit, id, numberPayload(bytes)),
      ended: (complete) => {
        this.#incoming.delete(id);
        if (!complete) this.#say(FRAME.cancel, id);
      },
    });
    this.#incoming.set(id, incoming);
    if (this.#isOver) incoming.fail(undefined);
    this.#say(FRAME.open, id, Buffer.from(url));
    return incoming.opened;
  }

  /** Lets it end when it has read this. */
  end(): void {
    this.#process.channel.end();
  }

  #read(chunk: Buffer): void {
    try {
      for (const frame of this.#reader.read(chunk)) this.#heard(frame);
    } catch (thrown) {
      this.#log(`the fetcher of images was ended: it sent ${(thrown as Error).message}`);
      this.#process.child.kill('SIGKILL');
    }
  }

  /** Of a fetch that was cancelled, some may still come. */
  #heard({ type, id, payload }: Frame): void {
    const incoming = this.#incoming.get(id);
    if (type === FRAME.log) this.#log(printable(payload.toString('utf8'), MOST_SAID));
    else if (type === FRAME.opened) incoming?.open(payload.toString('utf8'));
    else if (type === FRAME.data) incoming?.take(payload);
    else if (type === FRAME.end) incoming?.end();
    else if (type === FRAME.failed) incoming?.fail(parseFailure(payload));
    else throw new Error(`a frame of type ${type}`);
  }

  #lost(why: string, resolve: () => void): void {
    this.#isOver = true;
    const said = this.#said.trim();
    if (this.#incoming.size > 0 || said !== '')
      this.#log(`the fetcher of images: ${why}${said ? `; it said: ${printable(said, MOST_SAID)}` : ''}`);
    for (const incoming of [...this.#incoming.values()]) incoming.fail(undefined);
    resolve();
  }

  #say(type: number, id: number, payload?: Uint8Array): void {
    const { channel } = this.#process;
    if (channel.writable) channel.write(encodeFrame(type, id, payload));
  }
}
