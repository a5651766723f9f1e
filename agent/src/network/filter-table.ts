import { Coalesced } from '../host/coalesced.ts';
import type { Run } from '../host/command.ts';
import { CommandFailed } from '../host/command.ts';
import type { FilterSets } from './filter.ts';
import { filterRuleset, readFilter } from './filter.ts';

/** What is loaded in the kernel. */
export interface LoadedFilter {
  sets: FilterSets;
  /** Whether all rules are there. */
  complete: boolean;
}

/** The packet filter table in the kernel. Changes that come while one is loaded are loaded together. */
export class FilterTable {
  readonly #table: string;
  readonly #run: Run;
  /** Computed when it is loaded, so that a load covers everything that was asked for before it began. */
  readonly #wanted: () => FilterSets;
  readonly #loads = new Coalesced(() => this.#load());

  constructor(table: string, run: Run, wanted: () => FilterSets) {
    this.#table = table;
    this.#run = run;
    this.#wanted = wanted;
  }

  /** Has the table be as wanted now, or remove it when nothing is filtered. */
  apply(): Promise<void> {
    return this.#loads.run();
  }

  /** Undefined when there is no table. */
  async read(): Promise<LoadedFilter | undefined> {
    try {
      return readFilter(await this.#run('nft', ['-j', 'list', 'table', 'bridge', this.#table]));
    } catch (thrown) {
      if (thrown instanceof CommandFailed && thrown.stderr.includes('No such file or directory')) return undefined;
      throw thrown;
    }
  }

  async #load(): Promise<void> {
    const sets = this.#wanted();
    const empty = Object.values(sets).every((set) => set.size === 0);
    const text = empty
      ? `table bridge ${this.#table}\ndelete table bridge ${this.#table}\n`
      : filterRuleset(this.#table, sets);
    await this.#run('nft', ['-f', '-'], { input: text });
  }
}
