/**
 * What the process is working on, so that the next one knows what may have ended it; cf. suspects.ts.
 *
 * It is noted in memory, and written down only by who sees an exception that nothing catches. Who runs out of memory cannot
 * write any more: Node leaves a report then. So after such an end nothing more is known than that something is deadly, and
 * everything that is looked at soon after the start is looked at alone.
 */
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@plumb/schemas';
import { type LastEnd, parseSuspicion, type Suspicion, suspected } from './suspects.ts';

/** Written by Node when it runs out of memory (process.report). */
export const FATAL_REPORT = 'fatal-report.json';
const KEPT_REPORT = 'last-fatal-report.json';
const CRASH = 'crash.json';
const SUSPICION = 'suspects.json';
const ALONE = 'alone';

/** How long everything else is served before the first of the suspected has its turn. */
const FIRST_MS = 1_000;
/** The turn of a suspect ends this long after its work, or after this time when its work waits for others. */
const AFTER_MS = 20;
const LONGEST_MS = 500;
/** So long after the start a process is careful, at most. */
const CAREFUL_MS = 60_000;

export interface WorkNotesOptions {
  /** Folder of the files. No other process may use it. */
  folder: string;
  /** Version of Plumb. */
  version: string;
  clock: Clock;
}

export class WorkNotes {
  readonly #options: WorkNotesOptions;
  /** Keys that are worked on, each with what ends its turn. */
  readonly #keys = new Map<string, (() => void) | undefined>();
  readonly #suspicion: Suspicion;
  /** Of what is suspected, the keys that had their turn. */
  readonly #acquitted = new Set<string>();
  /** Resolves when the last of those that were given a turn has had it. */
  #turns: Promise<void> = Promise.resolve();
  /** The file that names the key that is worked on alone; open while somebody is suspected. */
  #file: number | undefined;
  #stop: () => void = () => {};

  constructor(options: WorkNotesOptions) {
    this.#options = options;
    const { folder, version, clock } = options;
    const path = (name: string) => join(folder, name);
    this.#suspicion = suspected(parseSuspicion(read(path(SUSPICION)) ?? ''), lastEnd(folder), version);
    this.#save();
    atBest(() => rmSync(path(CRASH), { force: true }));
    atBest(() => existsSync(path(FATAL_REPORT)) && renameSync(path(FATAL_REPORT), path(KEPT_REPORT)));
    atBest(() => rmSync(path(ALONE), { force: true }));
    const { keys } = this.#suspicion;
    if (keys === undefined || keys.length === 0) return;
    this.#file = atBest(() => openSync(path(ALONE), 'w', 0o600));
    if (this.#file === undefined) return;
    if (keys !== 'all') this.#turns = new Promise((resolve) => clock.after(FIRST_MS, resolve));
    this.#stop = clock.after(CAREFUL_MS, () => this.close());
  }

  /** Keys of objects that ended processes. */
  get guilty(): string[] {
    return this.#suspicion.guilty.map(({ key }) => key);
  }

  /** Whether something is suspected, and had no turn yet. */
  get isCareful(): boolean {
    return this.#file !== undefined;
  }

  /** Work on the key begins at once, or, if it is suspected, when the promise resolves. {@link end} is to be called after. */
  begin(key: string): Promise<void> | undefined {
    if (this.#file !== undefined && this.#isSuspect(key)) return this.#turn(key);
    this.#keys.set(key, undefined);
    return undefined;
  }

  async #turn(key: string): Promise<void> {
    const { promise: over, resolve: end } = Promise.withResolvers<void>();
    const before = this.#turns;
    this.#turns = before.then(() => over);
    await before;
    this.alone(key);
    this.#keys.set(key, () => this.#options.clock.after(AFTER_MS, end));
    this.#options.clock.after(LONGEST_MS, end);
    void over.then(() => this.#acquitted.add(key));
  }

  /** Work on the key is over. */
  end(key: string): void {
    this.#keys.get(key)?.();
    this.#keys.delete(key);
  }

  /** From now on this is worked on alone, while somebody is suspected; undefined: nothing is. */
  alone(key: string | undefined): void {
    if (this.#file === undefined) return;
    const bytes = Buffer.alloc(BYTES, '\n');
    // What is longer is the key of no object.
    if (key !== undefined && Buffer.byteLength(key) < BYTES) bytes.write(key);
    const file = this.#file;
    atBest(() => writeSync(file, bytes, 0, BYTES, 0));
  }

  /** An exception that nothing catches ends the process. Does not wait for anything. */
  crashed(): void {
    writeFileSync(join(this.#options.folder, CRASH), JSON.stringify({ keys: [...this.#keys.keys()] }), { mode: 0o600 });
  }

  /** The object at the key is another now, or gone. */
  forget(key: string): void {
    const at = this.#suspicion.guilty.findIndex((one) => one.key === key);
    if (at < 0) return;
    this.#suspicion.guilty.splice(at, 1);
    this.#save();
  }

  /** Nobody is suspected any more, or the process ends in order. */
  close(): void {
    this.#stop();
    if (this.#file === undefined) return;
    const file = this.#file;
    this.#file = undefined;
    atBest(() => closeSync(file));
    atBest(() => rmSync(join(this.#options.folder, ALONE), { force: true }));
  }

  #isSuspect(key: string): boolean {
    const { keys } = this.#suspicion;
    return keys !== undefined && !this.#acquitted.has(key) && (keys === 'all' || keys.includes(key));
  }

  #save(): void {
    const path = join(this.#options.folder, SUSPICION);
    const { guilty } = this.#suspicion;
    atBest(() => {
      if (guilty.length === 0) return rmSync(path, { force: true });
      writeFileSync(`${path}.new`, JSON.stringify({ guilty }), { mode: 0o600 });
      return renameSync(`${path}.new`, path);
    });
  }
}

/** A disk that is full must not keep the server from its work: then nothing is known of how it ends. */
function atBest<T>(write: () => T): T | undefined {
  try {
    return write();
  } catch {
    return undefined;
  }
}

/** Of the name of what is worked on alone. */
const BYTES = 1024;

/** How the process ended that used the folder before. */
function lastEnd(folder: string): LastEnd {
  const crash = read(join(folder, CRASH));
  if (crash === undefined && !existsSync(join(folder, FATAL_REPORT))) return { isFatal: false };
  const alone = read(join(folder, ALONE))?.trim();
  const keys = crash === undefined ? undefined : keysOf(crash);
  return { isFatal: true, ...(alone ? { alone } : {}), ...(keys ? { keys } : {}) };
}

function keysOf(crash: string): string[] | undefined {
  try {
    const { keys } = JSON.parse(crash) as { keys?: unknown };
    return Array.isArray(keys) ? keys.filter((key) => typeof key === 'string') : undefined;
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
