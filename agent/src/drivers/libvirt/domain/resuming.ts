/** Guests that QEMU holds since a disk of theirs is full or failed: let go again when that may be over. */
import type { Clock } from '@plumb/schemas';
import type { DomainRef, Procedures } from '../rpc/procedures.ts';
import { isHeldByDisk } from './facts.ts';

export interface ResumingOptions {
  libvirt: Procedures;
  clock: Clock;
  /** Whether there is space for what guests write. */
  hasSpace: () => Promise<boolean>;
  log: (line: string) => void;
}

const FIRST_MS = 1_000;
const LAST_MS = 30_000;
/** A guest that went on for this long is well again. */
const WELL_MS = 60_000;

interface Held {
  tries: number;
  resumedAt: number;
  stop: () => void;
}

/**
 * A guest that is let go too early writes, fails and is held again at once: it is let go ever more seldom, and not at all
 * as long as there is no space.
 */
export class Resuming {
  readonly #options: ResumingOptions;
  readonly #held = new Map<string, Held>();
  #closed = false;

  constructor(options: ResumingOptions) {
    this.#options = options;
  }

  /** QEMU holds the guest. */
  note(domain: DomainRef): void {
    const known = this.#held.get(domain.uuid);
    if (this.#closed || (known !== undefined && known.stop !== idle)) return;
    const now = this.#options.clock.now();
    const isAgain = known !== undefined && now - known.resumedAt < WELL_MS && now >= known.resumedAt;
    const held = { tries: isAgain ? known.tries : 0, resumedAt: 0, stop: idle };
    this.#held.set(domain.uuid, held);
    this.#later(domain, held);
  }

  close(): void {
    this.#closed = true;
    for (const { stop } of this.#held.values()) stop();
  }

  #later(domain: DomainRef, held: Held): void {
    if (this.#closed) return;
    held.stop = this.#options.clock.after(Math.min(FIRST_MS * 2 ** held.tries, LAST_MS), () => {
      held.stop = idle;
      this.#attempt(domain, held).catch((thrown: Error) => {
        this.#options.log(`${domain.name} cannot go on: ${thrown.message}`);
        this.#held.delete(domain.uuid); // It is noted again when it is looked at again.
      });
    });
  }

  async #attempt(domain: DomainRef, held: Held): Promise<void> {
    const { libvirt, clock, hasSpace } = this.#options;
    if (!isHeldByDisk(await libvirt.state(domain))) return void this.#held.delete(domain.uuid);
    const errors = await libvirt.diskErrors(domain);
    held.tries += 1;
    if ([...errors.values()].includes('full') && !(await hasSpace())) return this.#later(domain, held);
    held.resumedAt = clock.now();
    await libvirt.resume(domain);
  }
}

function idle(): void {}
