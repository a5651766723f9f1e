/** The handlers of all types of resources on a libvirt host. */
import type { HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import type { Attention } from '../driver.ts';
import type { HandlerOf, Look, ResourceHandler, Tell } from './handler.ts';
import type { Parts } from './parts.ts';
import * as list from './types/list.ts';

/** Says when a type has no line there. */
const types: { readonly [K in ResourceType]: HandlerOf<K> } = list;

/** A look at the host that finds resources of one type only. */
export interface OwnLook {
  type: ResourceType;
  find(): Promise<LiveResource[]>;
}

export class Handlers {
  readonly #byType: ReadonlyMap<ResourceType, ResourceHandler>;
  readonly ownLooks: readonly OwnLook[];

  constructor(parts: Parts, tell: Tell) {
    const begin = ([type, handlerOf]: [string, unknown]) =>
      [type as ResourceType, (handlerOf as HandlerOf<ResourceType>)(parts, tell)] as const;
    this.#byType = new Map(Object.entries(types).map(begin));
    this.ownLooks = [...this.#byType].flatMap(([type, { foundBy }]) =>
      typeof foundBy === 'function' ? [{ type, find: foundBy }] : [],
    );
  }

  /** Has what handlers keep in the packet filter be as declared. */
  async mend(): Promise<void> {
    await Promise.all(Array.from(this.#byType.values(), (handler) => handler.mend?.()));
  }

  /** Paths of records of theirs that say nothing of ours. */
  unreadable(): string[] {
    return [...this.#byType.values()].flatMap((handler) => handler.unreadable?.() ?? []);
  }

  ofType(type: ResourceType): ResourceHandler {
    return this.#byType.get(type)!;
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

  foundBy(look: Look): ResourceType[] {
    return [...this.#byType].filter(([, handler]) => handler.foundBy === look).map(([type]) => type);
  }
}
