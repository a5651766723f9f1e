/** What the driver asks of the file of a type of resource (`types/`). */
import type { HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import type { Attention } from '../driver.ts';
import type { Parts } from './parts.ts';

/** Which look at the host finds resources of several types at once. */
export type Look = 'network' | 'storage' | 'domains';

export interface ResourceHandler<K extends ResourceType = ResourceType> {
  /** The look that finds resources of the type; or a look of its own, at all of them, when the driver looks at the host. */
  foundBy: Look | (() => Promise<LiveResource<K>[]>);
  /**
   * What may take long, before the turn of the resource: who removes it meanwhile, or wants it otherwise, need not wait. `ensure`
   * comes after it.
   */
  prepare?(resource: HostResource<K>, attention?: Attention): Promise<void>;
  /** Ends what `prepare` is doing. */
  abort?(id: string): void;
  /** Idempotent, as {@link Driver.ensure}. Resolves to what lives then. */
  ensure(resource: HostResource<K>, attention?: Attention): Promise<LiveResource<K>>;
  /** Somebody took rules of ours out of the packet filter: has it be as declared. Of several types that one part handles, one says it. */
  mend?(): Promise<void>;
  /** Paths of records that say nothing of ours. */
  unreadable?(): readonly string[];
  /** Success when it is not there. Resolves to sentences that a person should know: what stays that Plumb did not make. */
  remove(id: string): Promise<readonly string[]>;
}

/** What a handler tells the driver. */
export interface Tell {
  /** The domain may run with a seed that is no longer the one that it has. */
  seedReplaced(domain: string): void;
}

export type HandlerOf<K extends ResourceType> = (parts: Parts, tell: Tell) => ResourceHandler<K>;

const NONE: readonly string[] = [];

/** Of a removal that leaves nothing behind. */
export function saysNothing(removal: Promise<unknown>): Promise<readonly string[]> {
  return removal.then(() => NONE);
}
