/** The tables of the kernel's packet filter that a driver keeps: what guests may send, and who may send to its tunnels. */
import type { Run } from '../host/command.ts';
import type { FilterInput, FilterSets } from './filter.ts';
import { filterRuleset, filterSets, readFilter } from './filter.ts';
import type { Link } from './ip.ts';
import type { Names } from './names.ts';
import type { Loaded } from './nft-table.ts';
import { NftTable } from './nft-table.ts';
import type { Strays } from './strays.ts';
import { straysOf, united } from './strays.ts';
import type { TunnelSets } from './tunnels.ts';
import { readTunnels, tunnelRuleset, tunnelSets } from './tunnels.ts';

export interface LoadedTables {
  filter: Loaded<FilterSets> | undefined;
  tunnels: Loaded<TunnelSets> | undefined;
}

export interface TablesOptions {
  names: Names;
  run: Run;
  tunnelAddress: string;
  declared: () => FilterInput;
  /** All interfaces, read now. */
  links: () => Promise<Map<string, Link>>;
  /** As of NftTable, by the family of the table. */
  loads: (family: string) => (tookAway: boolean) => void;
}

/** What was seen last: of what is loaded, when there was something. */
interface Seen extends LoadedTables {
  links: ReadonlyMap<string, Link>;
}

export class Tables {
  readonly #options: TablesOptions;
  readonly #filter: NftTable<FilterSets>;
  readonly #tunnels: NftTable<TunnelSets>;
  #seen: Seen | undefined;

  constructor(options: TablesOptions) {
    const { names, run, tunnelAddress, declared, loads } = options;
    const name = names.table();
    this.#options = options;
    this.#filter = new NftTable({
      ...{ family: 'bridge', name, run, ruleset: filterRuleset, read: readFilter },
      loads: () => loads('bridge'),
      wanted: async () => {
        const strays = await this.#strays();
        return united(filterSets(declared(), names), strays?.filter);
      },
    });
    this.#tunnels = new NftTable({
      ...{ family: 'ip', name, run, ruleset: tunnelRuleset, read: readTunnels },
      loads: () => loads('ip'),
      wanted: async () => {
        const strays = await this.#strays();
        return united(tunnelSets(declared().bridges, tunnelAddress), strays?.tunnels);
      },
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

  /** Everything was looked at. */
  saw({ links, filter, tunnels }: Seen): void {
    this.#seen = { links, filter: filter ?? this.#seen?.filter, tunnels: tunnels ?? this.#seen?.tunnels };
  }

  /** Loads what has other rules than this version, or none where an earlier version had no table. */
  async upgrade({ filter, tunnels }: LoadedTables): Promise<void> {
    if (filter !== undefined && !filter.complete) await this.#filter.apply();
    if (this.#options.declared().bridges.length > 0 && !tunnels?.complete) await this.#tunnels.apply();
  }

  async #strays(): Promise<Strays | undefined> {
    const { declared, names, links } = this.#options;
    if (this.#seen === undefined) this.saw({ links: await links(), ...(await this.read()) });
    const seen = this.#seen!;
    if (straysOf(declared(), names, seen) === undefined) return undefined;
    // What was seen may have gone since.
    return straysOf(declared(), names, { ...seen, links: await links() });
  }
}
