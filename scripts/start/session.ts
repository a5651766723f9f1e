/** What `npm start` remembers in the data folder: what it started, so that the next one can take over or clean up. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkContents, openPrivateFolder } from '@plumb/schemas/files/private-folder.ts';
import { endProcess, isRunning, type ProcessRecord, processAt } from '../processes.ts';
import { asTyped } from '../typed.ts';

export interface SessionRecord {
  /** The `npm start` that runs, or ran. */
  start: ProcessRecord;
  port: number;
  driver: 'libvirt' | 'simulated';
  /** Whether guests may be there: set before the first apply, gone after a destroy. */
  applied: boolean;
  /** Server, agent and provider, in the order in which they were started. */
  processes: ProcessRecord[];
}

/** A person has to decide something first; the message says what. */
export class Refused extends Error {}

export class Session {
  readonly record: SessionRecord;
  readonly #file: string;

  private constructor(file: string, record: SessionRecord) {
    this.#file = file;
    this.record = record;
  }

  /** Takes the folder over. Throws {@link Refused} when another `npm start` runs on it, or ran with another driver. */
  static async open(dataDir: string, port: number, driver: SessionRecord['driver']): Promise<Session> {
    // What it says is believed: processes are ended by it.
    checkContents(openPrivateFolder(dataDir), undefined, (name) => name === 'start.json');
    const file = join(dataDir, 'start.json');
    const before = await readSession(dataDir);
    if (before && isRunning(before.start))
      throw new Refused(
        `Plumb already runs from ${asTyped(dataDir)}: process ${before.start.pid}, https://127.0.0.1:${before.port}. ` +
          'Use it, or end it with Ctrl-C in its terminal.',
      );
    if (before?.applied && before.driver !== driver)
      throw new Refused(
        `${asTyped(dataDir)} holds a quickstart on ${before.driver} hosts. Remove it first: npm start -- --destroy, ` +
          'or choose another folder with --data-dir.',
      );
    for (const orphan of before?.processes.toReversed() ?? []) await endProcess(orphan);
    const applied = before?.applied ?? false;
    const session = new Session(file, { start: processAt(process.pid)!, port, driver, applied, processes: [] });
    await session.save();
    return session;
  }

  async save(): Promise<void> {
    await writeFile(`${this.#file}.new`, `${JSON.stringify(this.record, null, 2)}\n`, { mode: 0o600 });
    await rename(`${this.#file}.new`, this.#file);
  }

  /** Ends what was started, last first, and remembers that nothing runs any more. */
  async close(): Promise<void> {
    for (const started of this.record.processes.toReversed()) await endProcess(started);
    this.record.processes = [];
    this.record.start = { pid: 0, started: '' };
    await this.save();
  }

  async forget(): Promise<void> {
    await rm(this.#file, { force: true });
  }
}

export async function readSession(dataDir: string): Promise<SessionRecord | undefined> {
  const text = await readFile(join(dataDir, 'start.json'), 'utf8').catch(() => undefined);
  return text === undefined ? undefined : (JSON.parse(text) as SessionRecord);
}
