/** The tables of the kernel's packet filter that a driver keeps: what guests may send, and who may send to its tunnels. */
import type { HostResource } from '@plumb/schemas';
import type { Run } from '../host/command.ts';
import type { FilterInput, FilterSets } from './filter.ts';
import { filterRuleset, filterSets, readFilter } from './filter.ts';
import type { Names } from './names.ts';
import type { Loaded } from './nft-table.ts';
import { NftTable } from './nft-table.ts';
import type { TunnelSets } from './tunnels.ts';
import { readTunnels, tunnelRuleset, tunnelSets } from './tunnels.ts';

export interface LoadedTables {
  filter: Loaded<FilterSets> | undefined;
  tunnels: Loaded<TunnelSets> | undefined;
}

export class Tables {
  readonly #filter: NftTable<FilterSets>;
  readonly #tunnels: NftTable<TunnelSets>;
  readonly #bridges: () => readonly HostResource<'bridge'>[];

  constructor(names: Names, run: Run, tunnelAddress: string, declared: () => FilterInput) {
    const name = names.table();
    this.#bridges = () => declared().bridges;
    this.#filter = new NftTable({
      ...{ family: 'bridge', name, run, ruleset: filterRuleset, read: readFilter },
      wanted: () => filterSets(declared(), names),
    });
    this.#tunnels = new NftTable({
      ...{ family: 'ip', name, run, ruleset: tunnelRuleset, read: readTunnels },
      wanted: () => tunnelSets(this.#bridges(), tunnelAddress),
    });
  }

  /** Has what guests may send be as declared now. */
  applyFilter(): Promise<void> {
    return this.#filter.apply();
  }

  /** Has all tables be as declared now. */
  async apply(): Promise<void> {
    await Promise.all([this.#filter.apply(), this.#tunnels.apply()]);
  }

  async read(): Promise<LoadedTables> {
    const [filter, tunnels] = await Promise.all([this.#filter.read(), this.#tunnels.read()]);
    return { filter, tunnels };
  }

  /** Loads what has other rules than this version, or none where an earlier version had no table. */
  async upgrade({ filter, tunnels }: LoadedTables): Promise<void> {
    if (filter !== undefined && !filter.complete) await this.#filter.apply();
    if (this.#bridges().length > 0 && !tunnels?.complete) await this.#tunnels.apply();
  }
}
