/** What a domain leaves in its folder: the guest's console, and why it last ended. */
import { copyFile, mkdir, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { DomainFacts } from '@plumb/schemas';
import { nothingThere } from '../../../host/records.ts';

/** A guest may write to its console without end; two files of at most this size are kept. */
const MAX_CONSOLE_BYTES = 2 * 1024 * 1024;

type StopReason = DomainFacts['reason'];

export class DomainTrace {
  readonly #root: string;

  constructor(dataDir: string) {
    this.#root = join(dataDir, 'domains');
  }

  consoleLog(id: string): string {
    return join(this.#root, id, 'console.log');
  }

  /** Before a start: the folder is there, and the console of the run before is kept as `console.log.1`. */
  async begin(id: string): Promise<void> {
    await mkdir(join(this.#root, id), { recursive: true, mode: 0o711 });
    await this.#turnOver(id);
    await rm(this.#stopFile(id), { force: true });
  }

  /** Keeps the console within its bound while the guest runs; QEMU appends, so that it goes on from the new end. */
  async bound(id: string): Promise<void> {
    const found = await stat(this.consoleLog(id)).catch(nothingThere(undefined));
    if (found !== undefined && found.size > MAX_CONSOLE_BYTES) await this.#turnOver(id);
  }

  /** Why the domain last ended: libvirt forgets it when libvirtd restarts. */
  async stopReason(id: string): Promise<StopReason | undefined> {
    return (await readFile(this.#stopFile(id), 'utf8').catch(nothingThere(undefined))) as StopReason | undefined;
  }

  async rememberStop(id: string, reason: StopReason): Promise<void> {
    if ((await this.stopReason(id)) === reason) return;
    await mkdir(join(this.#root, id), { recursive: true, mode: 0o711 });
    await writeFile(this.#stopFile(id), reason);
  }

  async remove(id: string): Promise<void> {
    await rm(join(this.#root, id), { recursive: true, force: true });
  }

  async #turnOver(id: string): Promise<void> {
    const log = this.consoleLog(id);
    const found = await stat(log).catch(nothingThere(undefined));
    if (found === undefined || found.size === 0) return;
    if (found.size <= 2 * MAX_CONSOLE_BYTES) await copyFile(log, `${log}.1`);
    await truncate(log, 0);
  }

  #stopFile(id: string): string {
    return join(this.#root, id, 'stopped');
  }
}
