/** What the agent asks of a hypervisor. `libvirt` and `simulated` implement it; conformance.ts proves both. */
import type { HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';

export interface Driver {
  readonly name: 'libvirt' | 'simulated';
  /** What the machine has for instances. */
  facts(): Promise<DriverFacts>;
  /** What is wrong with the host as a whole, in sentences for people. Its changes are told to listeners. */
  troubles(): readonly HostTrouble[];
  /** Everything on the host that bears Plumb's mark, and nothing else. */
  observe(): Promise<LiveResource[]>;
  /**
   * Makes the resource, or changes what is there, until it is as declared; repairs drift. Idempotent. Resources it refers to
   * (a port's bridge, a domain's disks) must be there: otherwise PlumbError `MissingDependency` (retry).
   * Never touches what Plumb did not make: PlumbError `NameTaken` (terminal) when a foreign resource is in the way.
   * Reports the outcome to listeners before it resolves. When `attention` ends a fetch: PlumbError `Aborted` (retry).
   */
  ensure(resource: HostResource, attention?: Attention): Promise<void>;
  /**
   * Removes the resource and everything it left behind. Success when it is not there. An image that is another owner's by now
   * stays: it is kept by its content, and what one object lets go of may be another's.
   * PlumbError `InUse` (retry) when another resource of ours still refers to it.
   */
  remove(resource: { kind: ResourceType; id: string; owner: string }, attention?: Attention): Promise<void>;
  /** Calls `listener` for every change, whoever caused it. Returns a function that ends it. */
  onChange(listener: (change: DriverChange) => void): () => void;
  /** Lets go of sockets and timers; touches nothing that runs. */
  close(): Promise<void>;
}

/** Of whoever waits for a resource. Only what may take long heeds its end: the fetch of an image. */
export interface Attention {
  /** Aborted when nobody waits any more: the fetch ends, unless others want it too. */
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
  /** Told what a person should know of how it was done, in a sentence: that the plug of a guest was pulled. */
  onNote?: (sentence: string) => void;
}

export interface Progress {
  bytes: number;
  /** Of how many, where that is known. */
  ofBytes: number | undefined;
}

export interface DriverFacts {
  cpus: number;
  memoryMiB: number;
}

export type DriverChange =
  | { type: 'changed'; resource: LiveResource }
  | { type: 'removed'; kind: ResourceType; id: string; owner: string }
  /** {@link Driver.troubles} says something else than before. */
  | { type: 'troubles' }
  /** The driver lost track (its connection broke): observe again. */
  | { type: 'lost' };
