/**
 * Notices that somebody takes rules of ours out of the kernel's packet filter, as `nft flush ruleset` does: until they are there
 * again, guests are not filtered. One long-lived `nft monitor` tells what goes. Our own loads take each table away and make it
 * anew in one step, and are told apart by being counted.
 */
import type { Clock } from '@plumb/schemas';
import { watchLines } from './watch-lines.ts';

export interface FilterWatchOptions {
  /** Name of our tables, of whichever family; others of ours begin with it and `_`. */
  table: string;
  clock: Clock;
  /** Called when something of them went that we did not take away. */
  foreign: () => void;
}

/** What goes with a table is told before the table. */
const SETTLE_MS = 200;

/** The kernel tells of a load when it is done; `nft` passes it on a little later. Nobody may have listened. */
const TOLD_WITHIN_MS = 2_000;

interface Load {
  /** With its family: `bridge plumb_0123`. */
  table: string;
  /** When nothing is told of it any more. */
  until: number;
}

/** `delete rule bridge plumb_0123 from_guest handle 3`. */
const LINE = /^delete (\S+) (\S+) (\S+)/;

export class FilterWatch {
  readonly #options: FilterWatchOptions;
  /** Loads of ours that take a table away, and have not been told. */
  readonly #loads = new Set<Load>();
  /** Tables that lost a part, and are still there. */
  readonly #parts = new Set<string>();
  #stopSettling = () => {};
  #settling = false;

  constructor(options: FilterWatchOptions) {
    this.#options = options;
  }

  /** A load of ours begins that takes this table of a family away. Returns what to call when it has ended, and whether it took the table away. */
  expect(table: string): (tookAway: boolean) => void {
    const load: Load = { table, until: Number.POSITIVE_INFINITY };
    this.#loads.add(load);
    return (tookAway) => {
      if (tookAway) load.until = this.#options.clock.now() + TOLD_WITHIN_MS;
      else this.#loads.delete(load);
    };
  }

  /** A line of `nft monitor destroy`. */
  line(text: string): void {
    const [, what, family = '', table] = LINE.exec(text) ?? [];
    const ours = this.#options.table;
    if (table === undefined || (table !== ours && !table.startsWith(`${ours}_`))) return;
    const whole = `${family} ${table}`;
    if (what === 'table' && this.#isOurs(whole)) {
      this.#parts.delete(whole);
      return;
    }
    this.#parts.add(whole);
    this.#settle();
  }

  #isOurs(table: string): boolean {
    const now = this.#options.clock.now();
    for (const load of this.#loads) {
      if (load.until >= now && load.table !== table) continue;
      this.#loads.delete(load);
      if (load.until >= now) return true;
    }
    return false;
  }

  /** Lines were missed. */
  missed(): void {
    this.#loads.clear();
    this.#parts.clear();
    this.#options.foreign();
  }

  /** Follows the kernel until the function that is returned is called. */
  follow(networkNamespace: string | undefined): () => void {
    const end = watchLines({
      command: ['nft', 'monitor', 'destroy'],
      ...{ networkNamespace, clock: this.#options.clock },
      line: (text) => this.line(text),
      missed: () => this.missed(),
    });
    return () => {
      end();
      this.#stopSettling();
    };
  }

  #settle(): void {
    if (this.#settling) return;
    this.#settling = true;
    this.#stopSettling = this.#options.clock.after(SETTLE_MS, () => {
      this.#settling = false;
      if (this.#parts.size === 0) return;
      this.#parts.clear();
      this.#options.foreign();
    });
  }
}
