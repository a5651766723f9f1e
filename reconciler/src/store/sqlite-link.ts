import { getCompileCacheDir } from 'node:module';
import { dirname } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import { Worker } from 'node:worker_threads';
import type { DurableLog } from './sqlite-log.ts';
import type { WriterAnswer, WriterRequest } from './sqlite-messages.ts';
import { SqliteWriter } from './sqlite-writer.ts';

/** The way to the writer. */
export interface WriterLink {
  post(request: WriterRequest): void;
  /** Has all that was posted answered, at once or soon. */
  finish(): void;
  /** Resolves when the writer has closed the file. All that was posted was answered. */
  close(): Promise<void>;
}

/** What may hold a thread's memory (MiB): a transaction of sqlite-writer.ts and the copy that brings it. */
const LIMITS = { maxYoungGenerationSizeMb: 8, maxOldGenerationSizeMb: 256, stackSizeMb: 1 };

/** A writer on a thread of its own. */
export class ThreadLink implements WriterLink {
  readonly #thread: Worker;
  readonly #ended: Promise<void>;

  /** Writes to the file at `path`. `answer` is also told `broken` when the thread ends by itself. */
  constructor(path: string, answer: (answer: WriterAnswer) => void) {
    this.#thread = new Worker(new URL('./sqlite-thread.ts', import.meta.url), {
      workerData: path,
      resourceLimits: LIMITS,
      execArgv: [],
      env: compiledBefore(),
      name: 'store',
    });
    this.#thread.on('message', answer);
    this.#thread.on('error', (error: Error) => answer({ what: 'broken', why: error.message }));
    this.#ended = new Promise((resolve) => {
      this.#thread.on('exit', () => {
        answer({ what: 'broken', why: 'the thread that writes has ended' });
        resolve();
      });
    });
  }

  post(request: WriterRequest): void {
    this.#thread.postMessage(request);
  }

  finish(): void {}

  close(): Promise<void> {
    this.#thread.postMessage('end');
    return this.#ended;
  }
}

/** A writer on this thread. */
export class HereLink implements WriterLink {
  readonly #writer: SqliteWriter;

  /** The link takes database and log over. */
  constructor(db: DatabaseSync, log: DurableLog, answer: (answer: WriterAnswer) => void) {
    this.#writer = new SqliteWriter(db, log, answer);
  }

  post(request: WriterRequest): void {
    this.#writer.take(request);
    this.#writer.work();
  }

  finish(): void {
    this.#writer.finish();
  }

  async close(): Promise<void> {
    this.#writer.close();
  }
}

/** Where the process keeps what it compiled: a thread that compiles anew takes 18 MiB more, and 0.3 s more to start. */
function compiledBefore(): Record<string, string> {
  const folder = getCompileCacheDir();
  return folder === undefined ? {} : { NODE_COMPILE_CACHE: dirname(folder) };
}
