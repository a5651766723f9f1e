/**
 * The tunnel endpoints of all hosts, kept in step with what is declared and heard. Of several hosts that would have one
 * address one has it, and the others have none: a host hurts itself alone.
 */
import type { Host } from '@plumb/schemas';
import type { Fleet } from '../../fleet/fleet.ts';
import type { ObjectCache } from '../../runtime/cache.ts';
import { type Endpoint, endpointOf } from './tunnel-endpoint.ts';

/** Problem of an endpoint, or of one that another host has. */
export type EndpointProblem = { reason: string; message: string };

export interface TunnelEndpointsOptions {
  cache: Pick<ObjectCache, 'onChange'>;
  fleet: Pick<Fleet, 'host' | 'onChange'>;
  /** Addresses of the machine on which this process runs. */
  ownAddresses(): readonly string[];
}

/** A host that is declared. */
interface Known {
  name: string;
  declared: string | undefined;
  kept: string | undefined;
  created: string;
  endpoint: Endpoint;
}

/** The hosts that would have one address: tens of thousands behind one gateway, so that only the first is looked for. */
interface Claimants {
  first: Known;
  all: Set<Known>;
}

export class TunnelEndpoints {
  readonly #options: TunnelEndpointsOptions;
  readonly #hosts = new Map<string, Known>();
  readonly #claimants = new Map<string, Claimants>();
  readonly #listeners = new Set<(host: string) => void>();

  /** Follows the cache, which is not loaded yet, and the fleet. */
  constructor(options: TunnelEndpointsOptions) {
    this.#options = options;
    options.cache.onChange(({ kind, before, after }) => {
      if (kind.kind !== 'Host') return;
      if (after) this.#declare(after.object as Host);
      else this.#forget(before!.object.metadata.name);
    });
    options.fleet.onChange((change) => {
      const known = change.type === 'host' ? this.#hosts.get(change.host) : undefined;
      if (known) this.#look(known);
    });
  }

  /** Empty when the host has none. */
  addressOf(host: string): string {
    const known = this.#hosts.get(host);
    const address = known?.endpoint.address ?? '';
    return address !== '' && this.#claimants.get(address)!.first === known ? address : '';
  }

  problemOf(host: string): EndpointProblem | undefined {
    const known = this.#hosts.get(host);
    if (known === undefined) return undefined;
    const { address, problem } = known.endpoint;
    const first = this.#claimants.get(address)?.first;
    if (first === undefined || first === known) return problem;
    const message = `host ${first.name} has the tunnel address ${address} already: declare spec.tunnelAddress of both`;
    return { reason: 'AddressTaken', message };
  }

  /** Calls `listener` with a host of which the address may be another now. Returns a function that ends it. */
  onChange(listener: (host: string) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #declare({ metadata, spec, status }: Host): void {
    const { name, creationTimestamp: created } = metadata;
    const before = this.#hosts.get(name);
    const declared = spec.tunnelAddress;
    const kept = status?.tunnelAddress || undefined;
    if (before && before.declared === declared && before.kept === kept && before.created === created) return;
    const known: Known = before ?? { name, declared, kept, created, endpoint: { address: '' } };
    Object.assign(known, { declared, kept, created });
    this.#hosts.set(name, known);
    this.#look(known);
    const claimants = this.#claimants.get(known.endpoint.address);
    if (claimants) this.#choose(claimants, known.endpoint.address, known);
  }

  #forget(name: string): void {
    const known = this.#hosts.get(name);
    if (known === undefined) return;
    this.#move(known, { address: '' });
    this.#hosts.delete(name);
  }

  #look(known: Known): void {
    const { fleet, ownAddresses } = this.#options;
    const { declared, kept } = known;
    const facts = fleet.host(known.name)?.facts;
    this.#move(known, endpointOf({ declared, kept, facts, isOwn: (address) => ownAddresses().includes(address) }));
  }

  #move(known: Known, endpoint: Endpoint): void {
    const before = known.endpoint;
    known.endpoint = endpoint;
    if (before.address === endpoint.address) {
      if (before.problem?.message !== endpoint.problem?.message) this.#tell(known.name);
      return;
    }
    const left = this.#claimants.get(before.address);
    left?.all.delete(known);
    if (left?.all.size === 0) this.#claimants.delete(before.address);
    else if (left) this.#choose(left, before.address, known);
    if (endpoint.address !== '') {
      const claimants = this.#claimants.get(endpoint.address) ?? { first: known, all: new Set() };
      claimants.all.add(known);
      this.#claimants.set(endpoint.address, claimants);
      this.#choose(claimants, endpoint.address, known);
    }
    this.#tell(known.name);
  }

  /** One of the claimants came, left or is otherwise now. */
  #choose(claimants: Claimants, address: string, changed: Known): void {
    const before = claimants.first;
    const candidates = before === changed ? claimants.all : [before, changed];
    let first: Known | undefined;
    for (const candidate of candidates)
      if (claimants.all.has(candidate) && (first === undefined || comesBefore(candidate, first, address)))
        first = candidate;
    claimants.first = first!;
    if (first === before) return;
    this.#tell(before.name);
    this.#tell(first!.name);
  }

  #tell(host: string): void {
    for (const listener of this.#listeners) listener(host);
  }
}

/** Declared ones come first, then those that had it before, then older hosts: whoever comes later takes it from nobody. */
function comesBefore(a: Known, b: Known, address: string): boolean {
  const rank = ({ declared, kept }: Known) => (declared === address ? 0 : kept === address ? 1 : 2);
  const [left, right] = [rank(a), rank(b)];
  if (left !== right) return left < right;
  return a.created === b.created ? a.name < b.name : a.created < b.created;
}
