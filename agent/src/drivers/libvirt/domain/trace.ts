/** What a domain leaves in its folder: the guest's console, why it last ended, and files of others that it ran from. */
import { constants } from 'node:fs';
import { type FileHandle, mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DomainFacts } from '@plumb/schemas';
import { isPlain, openPlain, plainLength, readPlain } from '../../../host/plain-file.ts';
import { isFullDisk } from '../../../host/space.ts';
import { Turns } from '../../../turns.ts';

/** A guest may write to its console without end; two files of at most this size are kept. */
const MAX_CONSOLE_BYTES = 2 * 1024 * 1024;

type StopReason = DomainFacts['reason'];
const reasons: readonly StopReason[] = [
  ...(['booted', 'shutdown', 'crashed', 'panicked', 'destroyed', 'saved', 'unknown'] as const),
];

/** The paths of a domain's disks, and no more. */
const MOST_BYTES = 1 << 20;

/**
 * A full disk stops none of it: what finds no place there is remembered for as long as the agent lives. Several may look at one
 * domain at once, after its event and for a command; changes of one domain's folder take turns.
 */
export class DomainTrace {
  readonly #root: string;
  readonly #turns = new Turns();
  readonly #unwritten = new Map<string, string>();
  /** Ids of domains that were removed: who still looks at one leaves nothing of it. */
  readonly #removed = new Set<string>();

  constructor(dataDir: string) {
    this.#root = join(dataDir, 'domains');
  }

  consoleLog(id: string): string {
    return join(this.#root, id, 'console.log');
  }

  /** Before a start: the folder is there, and the console of the run before is kept as `console.log.1`. */
  begin(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      this.#removed.delete(id);
      await mkdir(join(this.#root, id), { recursive: true, mode: 0o711 });
      await this.#turnOver(id);
      await this.#forget(this.#stopFile(id));
    });
  }

  /** Keeps the console within its bound while the guest runs; QEMU appends, so that it goes on from the new end. */
  bound(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      if ((await plainLength(this.consoleLog(id))) > MAX_CONSOLE_BYTES) await this.#turnOver(id);
    });
  }

  /** Why the domain last ended: libvirt forgets it when libvirtd restarts, and never knew of a panic. */
  async stopReason(id: string): Promise<StopReason | undefined> {
    const word = await this.#read(this.#stopFile(id));
    return reasons.find((reason) => reason === word);
  }

  /**
   * Resolves to the reason that is kept: a panic stays, since a crash that is reported later by a look that began earlier says less.
   */
  rememberStop(id: string, reason: StopReason): Promise<StopReason> {
    return this.#turns.take(id, async () => {
      if (reason === 'crashed' && (await this.stopReason(id)) === 'panicked') return 'panicked';
      await this.#write(id, this.#stopFile(id), reason);
      return reason;
    });
  }

  /** Files that the domain had in the place of ours, when it was last seen with any. */
  async foreignFiles(id: string): Promise<string[]> {
    const text = await this.#read(this.#foreignFile(id));
    return text === undefined ? [] : text.split('\n');
  }

  rememberForeign(id: string, paths: readonly string[]): Promise<void> {
    const file = this.#foreignFile(id);
    return this.#turns.take(id, () =>
      paths.length > 0 ? this.#write(id, file, paths.join('\n')) : this.#forget(file),
    );
  }

  remove(id: string): Promise<void> {
    return this.#turns.take(id, async () => {
      for (const file of [this.#stopFile(id), this.#foreignFile(id)]) this.#unwritten.delete(file);
      this.#removed.add(id);
      await rm(join(this.#root, id), { recursive: true, force: true, maxRetries: 5 });
    });
  }

  /** The newest part of the console becomes `console.log.1`, and the console begins anew. */
  async #turnOver(id: string): Promise<void> {
    const log = this.consoleLog(id);
    if ((await plainLength(log)) === 0) return;
    const file = await openPlain(log, constants.O_RDWR);
    if (file === undefined) return;
    try {
      await copyTail(file, `${log}.1`, MAX_CONSOLE_BYTES).catch(unlessFull);
      await file.truncate(0);
    } finally {
      await file.close();
    }
  }

  async #read(file: string): Promise<string | undefined> {
    return this.#unwritten.get(file) ?? (await readPlain(file, { mostBytes: MOST_BYTES }));
  }

  async #write(id: string, file: string, text: string): Promise<void> {
    if (this.#removed.has(id) || (await this.#read(file)) === text) return;
    try {
      await mkdir(dirname(file), { recursive: true, mode: 0o711 });
      await replace(file, text);
      this.#unwritten.delete(file);
    } catch (thrown) {
      unlessFull(thrown);
      await rm(`${file}.new`, { recursive: true, force: true });
      this.#unwritten.set(file, text);
    }
  }

  async #forget(file: string): Promise<void> {
    this.#unwritten.delete(file);
    await rm(file, { recursive: true, force: true });
  }

  #stopFile(id: string): string {
    return join(this.#root, id, 'stopped');
  }

  #foreignFile(id: string): string {
    return join(this.#root, id, 'foreign');
  }
}

function unlessFull(thrown: unknown): void {
  if (!isFullDisk(thrown)) throw thrown;
}

/** Writes it whole or not at all, in the place of whatever has its name. */
async function replace(file: string, text: string): Promise<void> {
  await rm(`${file}.new`, { recursive: true, force: true });
  await writeFile(`${file}.new`, text, { flag: 'wx', mode: 0o600 });
  if (!(await isPlain(file))) await rm(file, { recursive: true, force: true });
  await rename(`${file}.new`, file);
}

/** The last `most` bytes at the most, from the beginning of a line where there is one. */
async function copyTail(from: FileHandle, to: string, most: number): Promise<void> {
  const { size } = await from.stat();
  const tail = Buffer.alloc(Math.min(size, most));
  const { bytesRead } = await from.read(tail, 0, tail.length, size - tail.length);
  const read = tail.subarray(0, bytesRead);
  const line = size > most ? read.indexOf('\n') + 1 : 0;
  await rm(to, { recursive: true, force: true });
  await writeFile(to, read.subarray(line), { mode: 0o600, flag: 'wx' });
}
