import { createHash } from 'node:crypto';
import type { HostResource, LiveResource } from '@plumb/schemas';
import { retryable } from '@plumb/schemas';
import { Coalesced } from '../host/coalesced.ts';
import { CommandFailed, type Run } from '../host/command.ts';
import { Records } from '../host/records.ts';
import type { FilterInput } from '../network/filter.ts';
import type { Link } from '../network/ip.ts';
import type { Names } from '../network/names.ts';
import { checkAddressGroup, checkPortFilter, checkRuleset } from './checked.ts';
import { groupsTable, type PolicyInput, policyRuleset, zonesOf } from './policy.ts';

export interface SecurityGroupsOptions {
  dataDir: string;
  names: Names;
  /** Runs programs in the network namespace in which bridges and taps are. */
  run: Run;
  /** The networks that are declared. */
  networks: () => FilterInput;
  /** All interfaces, read now. */
  links: () => Promise<ReadonlyMap<string, Link>>;
  /** Has a bridge hand its packets to connection tracking. */
  track: (bridge: string) => Promise<void>;
  /** Called before a load takes tables away; returns what to call when it has ended, and whether it did. */
  loads: (table: string) => (tookAway: boolean) => void;
}

type GroupResource = 'port-filter' | 'ruleset' | 'address-group';

const FAMILIES = ['inet', 'bridge'] as const;
const NOT_IN_FORCE = 'the rules of security groups are not loaded as they were';

/** Filters of ports by security groups, as the kernel has them. Changes that come while one is loaded are loaded together. */
export class SecurityGroups {
  readonly #options: SecurityGroupsOptions;
  readonly #records: { readonly [K in GroupResource]: Records<K> };
  readonly #loads = new Coalesced(() => this.#load());
  #opened: Promise<void> | undefined;
  /** What was loaded last, and how nft lists it. */
  #loaded: { text: string; listed: string } | undefined;

  constructor(options: SecurityGroupsOptions) {
    const { dataDir } = options;
    this.#options = options;
    this.#records = {
      'port-filter': new Records(dataDir, 'port-filter', checkPortFilter),
      ruleset: new Records(dataDir, 'ruleset', checkRuleset),
      'address-group': new Records(dataDir, 'address-group', checkAddressGroup),
    };
  }

  /** Reads its records and loads what they say, once, before anything else. What that leaves undone is drift. */
  #open(): Promise<void> {
    this.#opened ??= (async () => {
      await Promise.all(Object.values(this.#records).map((records) => records.open()));
      if (this.#records['port-filter'].list().length > 0) await this.#loads.run().catch(() => {});
    })();
    return this.#opened;
  }

  /** In force when it resolves. One that cannot be loaded is not taken over. */
  async ensure<K extends GroupResource>(resource: HostResource<K>): Promise<LiveResource<K>> {
    const { kind, id } = resource as HostResource<GroupResource>;
    const check = { 'port-filter': checkPortFilter, ruleset: checkRuleset, 'address-group': checkAddressGroup };
    (check[kind] as (resource: HostResource<K>) => void)(resource);
    await this.#open();
    const records = this.#records[kind] as unknown as Records<K>;
    const before = records.get(id);
    await records.put(resource as HostResource<K> & { kind: K });
    try {
      await this.#loads.run();
    } catch (thrown) {
      if (before === undefined) await records.delete(id);
      else await records.put(before as HostResource<K> & { kind: K });
      throw thrown;
    }
    return { ...resource, drift: [] } as unknown as LiveResource<K>;
  }

  async remove(kind: GroupResource, id: string): Promise<void> {
    await this.#open();
    await this.#records[kind].delete(id);
    await this.#loads.run();
  }

  async observe<K extends GroupResource>(kind: K): Promise<LiveResource<K>[]> {
    await this.#open();
    const resources = this.#records[kind].list();
    if (resources.length === 0) return [];
    const drift = await this.#drift();
    return resources.map((resource) => ({ ...resource, drift }) as unknown as LiveResource<K>);
  }

  /** Has everything be as declared. */
  async mend(): Promise<void> {
    await this.#open();
    await this.#loads.run();
  }

  /** Paths of records that say nothing of ours. */
  get unreadable(): string[] {
    return Object.values(this.#records).flatMap((records) => records.unreadable);
  }

  #input(): PolicyInput {
    const { ports, subnets } = this.#options.networks();
    return {
      ...{ ports, subnets },
      filters: this.#records['port-filter'].list(),
      rulesets: this.#records.ruleset.list(),
      addressGroups: this.#records['address-group'].list(),
    };
  }

  async #load(): Promise<void> {
    const { names, run, loads } = this.#options;
    const input = this.#input();
    const text = policyRuleset(input, names);
    if (this.#loaded === undefined && input.filters.length === 0 && !(await this.#isThere())) return;
    await this.#track(input);
    if (await this.#isLoaded(text)) return;
    const ended = FAMILIES.map((family) => loads(`${family} ${groupsTable(names)}`));
    try {
      await run('nft', ['-f', '-'], { input: text });
      for (const end of ended) end(true);
    } catch (thrown) {
      for (const end of ended) end(false);
      throw thrown;
    }
    this.#loaded = { text, listed: await this.#listed() };
  }

  /** Bridges with filtered ports hand their packets over, first: until then answers would be dropped. */
  async #track(input: PolicyInput): Promise<void> {
    for (const bridge of await this.#untracked(input)) {
      try {
        await this.#options.track(bridge);
      } catch (thrown) {
        throw retryable(
          'TrackingUnavailable',
          `security groups need the kernel's module br_netfilter, and bridges cannot be told to use it: ${(thrown as Error).message}. Load it: modprobe br_netfilter`,
          thrown,
        );
      }
    }
  }

  async #untracked(input: PolicyInput): Promise<string[]> {
    const zones = zonesOf(input);
    if (zones.size === 0) return [];
    const links = await this.#options.links();
    return [...zones.keys()]
      .map((bridge) => this.#options.names.bridge(bridge))
      .filter((name) => links.get(name)?.tracked === false);
  }

  async #drift(): Promise<string[]> {
    const input = this.#input();
    const text = policyRuleset(input, this.#options.names);
    if (input.filters.length === 0) return [];
    const drift: string[] = [];
    if (!(await this.#isLoaded(text))) drift.push(NOT_IN_FORCE);
    if ((await this.#untracked(input)).length > 0)
      drift.push('its bridge does not hand packets to connection tracking');
    return drift;
  }

  /** Whether the kernel has what this text says, as it was loaded. */
  async #isLoaded(text: string): Promise<boolean> {
    return this.#loaded?.text === text && this.#loaded.listed === (await this.#listed());
  }

  async #isThere(): Promise<boolean> {
    return (await this.#list('bridge')) !== undefined || (await this.#list('inet')) !== undefined;
  }

  /** A digest of what nft lists, without what changes by itself. */
  async #listed(): Promise<string> {
    const hash = createHash('sha256');
    for (const family of FAMILIES) hash.update((await this.#list(family)) ?? 'nothing');
    return hash.digest('base64url');
  }

  async #list(family: string): Promise<string | undefined> {
    const { names, run } = this.#options;
    try {
      return await run('nft', ['-s', 'list', 'table', family, groupsTable(names)]);
    } catch (thrown) {
      if (thrown instanceof CommandFailed && thrown.stderr.includes('No such file or directory')) return undefined;
      throw thrown;
    }
  }
}
