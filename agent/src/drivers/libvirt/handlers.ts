/** What makes, removes and finds each type of resource on a libvirt host. A type is one entry here. */
import { type HostResource, type LiveResource, type ResourceType, resourceKey, retryable } from '@plumb/schemas';
import type { Attention } from '../driver.ts';
import type { Parts } from './parts.ts';

/** Which look at the host finds resources of the type: several types are found by one. */
export type FoundBy = 'network' | 'storage' | 'domains';

export interface ResourceHandler<K extends ResourceType = ResourceType> {
  foundBy: FoundBy;
  /**
   * What may take long, before the turn of the resource: who removes it meanwhile, or wants it otherwise, need not wait. `ensure`
   * comes after it.
   */
  prepare?(resource: HostResource<K>, attention?: Attention): Promise<void>;
  /** Ends what `prepare` is doing. */
  abort?(id: string): void;
  ensure(resource: HostResource<K>, attention?: Attention): Promise<LiveResource<K>>;
  /** Resolves to sentences that a person should know: what stays that Plumb did not make. */
  remove(id: string): Promise<readonly string[]>;
}

type ByType = { readonly [K in ResourceType]: ResourceHandler<K> };

export class Handlers {
  readonly #byType: ByType;

  /** `replaced`: told that the domain may run with a seed that is no longer the one that it has. */
  constructor(parts: Parts, replaced: (domain: string) => void) {
    this.#byType = handlersOf(parts, replaced);
  }

  ofType(type: ResourceType): ResourceHandler {
    return this.#byType[type] as ResourceHandler;
  }

  /** The handler of the resource's type, for this resource. */
  of(resource: HostResource): {
    prepare: ((attention?: Attention) => Promise<void>) | undefined;
    ensure: (attention?: Attention) => Promise<LiveResource>;
  } {
    const { prepare, ensure } = this.ofType(resource.kind);
    return {
      prepare: prepare && ((attention) => prepare(resource, attention)),
      ensure: (attention) => ensure(resource, attention),
    };
  }

  foundBy(look: FoundBy): ResourceType[] {
    return (Object.keys(this.#byType) as ResourceType[]).filter((type) => this.#byType[type].foundBy === look);
  }
}

const NONE: readonly string[] = [];
const saysNothing = (work: Promise<unknown>) => work.then(() => NONE);

function handlersOf(parts: Parts, replaced: (domain: string) => void): ByType {
  const { images, disks, seeds, network, domains } = parts;
  return {
    image: {
      foundBy: 'storage',
      prepare: (image, attention) => images.fetch(image, attention),
      abort: (id) => images.abort(id),
      ensure: (image, attention) => images.ensure(image, attention),
      remove: (id) => saysNothing(images.remove(id)),
    },
    bridge: {
      foundBy: 'network',
      ensure: (bridge) => network.ensureBridge(bridge),
      remove: (id) => saysNothing(network.removeBridge(id)),
    },
    subnet: {
      foundBy: 'network',
      ensure: (subnet) => network.ensureSubnet(subnet),
      remove: (id) => saysNothing(network.removeSubnet(id)),
    },
    disk: {
      foundBy: 'storage',
      ensure: (disk) => disks.ensure(disk),
      remove: (id) => saysNothing(disks.remove(id)),
    },
    seed: {
      foundBy: 'storage',
      // Its domain may run with the one before.
      ensure: (seed) => seeds.ensure(seed).finally(() => replaced(seed.owner)),
      remove: (id) => saysNothing(seeds.remove(id)),
    },
    port: {
      foundBy: 'network',
      ensure: (port) => network.ensurePort(port),
      remove: (id) => saysNothing(network.removePort(id)),
    },
    domain: {
      foundBy: 'domains',
      ensure: (domain, attention) => makeDomain(parts, domain, attention),
      remove: async (id) =>
        (await domains.remove(id)).map((file) => `${file} stays on the host: Plumb did not make it`),
    },
  };
}

async function makeDomain(
  { domains, partsOf, disks, seeds }: Parts,
  resource: HostResource<'domain'>,
  attention?: Attention,
): Promise<LiveResource<'domain'>> {
  // What it is made of becomes readable for the user that QEMU is started as.
  await Promise.all(resource.spec.disks.map((disk) => disks.handOver(disk)));
  if (resource.spec.seed !== undefined) await seeds.handOver(resource.spec.seed);
  const found = partsOf(resource);
  if (found === undefined)
    throw retryable('MissingDependency', `a disk of ${resourceKey(resource)} is not on this host`);
  const { live, notes } = await domains.ensure(resource, found);
  for (const note of notes) attention?.onNote?.(note);
  return live;
}
