import { Coalesced } from '../host/coalesced.ts';
import type { Run } from '../host/command.ts';
import { CommandFailed } from '../host/command.ts';

/** What is loaded in the kernel. */
export interface Loaded<Sets> {
  sets: Sets;
  /** Whether all rules are there. */
  complete: boolean;
}

export interface NftTableOptions<Sets> {
  family: 'bridge' | 'ip';
  name: string;
  run: Run;
  /** Computed when it is loaded, so that a load covers everything that was asked for before it began. */
  wanted: () => Promise<Sets>;
  /** Text for `nft -f` that replaces the whole table at once, so that there is no moment without it. */
  ruleset: (table: string, sets: Sets) => string;
  /** Reads what `nft -j list table` shows. */
  read: (json: string) => Loaded<Sets>;
  /** Called before a load takes the table away; returns what to call when it has ended, and whether it did. */
  loads: () => (tookAway: boolean) => void;
}

/** One of our tables in the kernel's packet filter. Changes that come while one is loaded are loaded together. */
export class NftTable<Sets extends { [name: string]: Set<string> }> {
  readonly #options: NftTableOptions<Sets>;
  readonly #loads = new Coalesced(() => this.#load());

  constructor(options: NftTableOptions<Sets>) {
    this.#options = options;
  }

  /** Has the table be as wanted now, or remove it when nothing is filtered. */
  apply(): Promise<void> {
    return this.#loads.run();
  }

  /** Undefined when there is no table. */
  async read(): Promise<Loaded<Sets> | undefined> {
    const { family, name, run, read } = this.#options;
    try {
      return read(await run('nft', ['-j', 'list', 'table', family, name]));
    } catch (thrown) {
      if (thrown instanceof CommandFailed && thrown.stderr.includes('No such file or directory')) return undefined;
      throw thrown;
    }
  }

  async #load(): Promise<void> {
    const { family, name, run, wanted, ruleset, loads } = this.#options;
    const sets = await wanted();
    const empty = Object.values(sets).every((set) => set.size === 0);
    const removal = `table ${family} ${name}\ndelete table ${family} ${name}\n`;
    const ended = loads();
    try {
      await run('nft', ['-f', '-'], { input: empty ? removal : ruleset(name, sets) });
      ended(true);
    } catch (thrown) {
      ended(false);
      throw thrown;
    }
  }
}
