/**
 * Deletes what is in namespaces that are being deleted, and then them, in the background, as kube-controller-manager does it. What
 * keeps one is said in its conditions. Each look reads all of a namespace, so it is looked at again only when as many objects have
 * gone as were on their way, when something else in it changed, or after a while.
 */
import { namespace as definition, PlumbError, type PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { keys, parseObjectKey } from '../../store/keys.ts';
import { decodeObject, encodeObject, isBeingDeleted, isHeld, removalOps } from '../../store/object-codec.ts';
import { pages } from '../../store/pages.ts';
import type { Entry, Store } from '../../store/store.ts';
import type { ApiContext } from '../call.ts';
import { removeOne } from '../verbs/delete.ts';
import { defaultServiceAccountKey } from './default-service-account.ts';
import { EVENTS } from './event-entries.ts';
import { conditionsOf, contentOf, next } from './namespace-content.ts';

/** Deletions under way at a time: they share the waits for the disk. */
const TOGETHER = 32;

/** How soon a namespace is looked at again after something in it has changed, and after nothing has. Milliseconds. */
const SOON_MS = 1_000;
const LATER_MS = 30_000;

/** A namespace that is on its way out. */
interface Going {
  /** Objects that are on their way out, too. */
  awaited: number;
  /** When it is looked at next; undefined while it is looked at. */
  stop: (() => void) | undefined;
  isUrgent: boolean;
}

export class NamespaceDeletions {
  readonly #store: Store;
  readonly #context: ApiContext;
  readonly #events: Store | undefined;
  readonly #signal: AbortSignal;
  readonly #going = new Map<string, Going>();

  /** Until `signal` aborts. `events`: where those are that go with their namespace, if they are not in the store. */
  constructor(store: Store, context: ApiContext, signal: AbortSignal, events?: Store) {
    this.#store = store;
    this.#events = events;
    this.#context = context;
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#end(), { once: true });
  }

  /** Looks at what is there, and follows the store. Resolves when it has seen what is there. */
  async start(): Promise<void> {
    let revision = 0;
    for await (const page of pages(this.#store, keys.kind(definition.plural))) {
      revision = page.revision;
      for (const entry of page.entries) this.#note(entry);
    }
    void this.#follow(revision);
  }

  async #follow(from: number): Promise<void> {
    try {
      for await (const { changes } of this.#store.watch(keys.objects, from, this.#signal))
        for (const { key, value } of changes) {
          if (key.startsWith(NAMESPACES)) this.#note({ key, value });
          // What is on its way out says how far it is.
          else if (this.#going.size > 0 && !value?.includes('"deletionTimestamp"'))
            this.#noteContent(key, value === undefined);
        }
    } catch {
      // It fell behind, or the store was closed: begun anew, it misses nothing.
    }
    if (this.#signal.aborted) return;
    this.#after(SOON_MS, () => void this.start().catch(() => void this.#follow(this.#store.revision())));
  }

  #note({ key, value }: { key: string; value: string | undefined }): void {
    const name = key.slice(NAMESPACES.length);
    if (value === undefined) {
      this.#going.get(name)?.stop?.();
      this.#going.delete(name);
    } else if (!this.#going.has(name) && waitsForContent(value)) {
      this.#going.set(name, { awaited: 0, stop: undefined, isUrgent: false });
      this.#lookIn(name, 0);
    }
  }

  #noteContent(key: string, isGone: boolean): void {
    const going = this.#going.get(parseObjectKey(key)?.namespace ?? '');
    if (!going) return;
    if (isGone && --going.awaited > 0) return;
    // While it is looked at, what changes is looked at after that.
    if (going.stop === undefined) going.isUrgent = true;
    else if (!going.isUrgent) {
      going.isUrgent = true;
      going.stop();
      this.#lookIn(parseObjectKey(key)!.namespace, isGone ? 0 : SOON_MS);
    }
  }

  #lookIn(name: string, ms: number): void {
    const going = this.#going.get(name);
    if (!going) return;
    const look = () => {
      going.stop = undefined;
      going.isUrgent = false;
      void this.#look(name, going);
    };
    if (ms > 0) going.stop = this.#after(ms, look);
    else {
      // Those who change the store are answered first.
      let isOver = false;
      going.stop = () => {
        isOver = true;
      };
      queueMicrotask(() => isOver || this.#signal.aborted || look());
    }
  }

  async #look(name: string, going: Going): Promise<void> {
    let isSoon = false;
    try {
      isSoon = await this.#deleteIn(name, going);
    } catch {
      // Somebody else changed it meanwhile, or the disk refused: then it is looked at again.
      isSoon = true;
    }
    if (this.#signal.aborted || this.#going.get(name) !== going) return;
    this.#lookIn(name, isSoon || going.isUrgent ? SOON_MS : LATER_MS);
  }

  /** Whether it is to be looked at again soon. */
  async #deleteIn(name: string, going: Going): Promise<boolean> {
    const key = keys.object(definition.plural, undefined, name);
    for (;;) {
      const entry = await this.#store.get(key);
      if (!entry || !waitsForContent(entry.value)) {
        this.#going.delete(name);
        return false;
      }
      const content = await contentOf(this.#store, name);
      if (content.length === 0) {
        await this.#finish(entry);
        this.#going.delete(name);
        return false;
      }
      const chosen = next(content);
      // What goes meanwhile is counted from here on.
      going.awaited = content.filter(({ isMarked }) => isMarked).length + chosen.length;
      const failures: string[] = [];
      for (let at = 0; at < chosen.length && !this.#signal.aborted; at += TOGETHER)
        await Promise.all(
          chosen.slice(at, at + TOGETHER).map((one) =>
            this.#delete(one.resource, one.key, one.name).catch((thrown) => {
              failures.push(PlumbError.from(thrown, one.name).message);
            }),
          ),
        );
      const left = chosen.length > 0 ? await contentOf(this.#store, name) : content;
      if (left.length > 0) await this.#tell(key, conditionsOf(left, failures));
      // What went at once makes room for what it referred to.
      if (failures.length > 0 || chosen.length === 0 || (left.length > 0 && next(left).length === 0))
        return failures.length > 0;
    }
  }

  async #delete(resource: Parameters<typeof removeOne>[1], key: string, name: string): Promise<void> {
    const options = { dryRun: false, preconditions: {} };
    await removeOne(this.#context, resource, { one: () => '' }, key, name, options).catch((thrown) => {
      if (!(thrown instanceof PlumbError && thrown.reason === 'NotFound')) throw thrown;
    });
  }

  /** Nothing is in it any more: it goes, unless finalizers of others hold it. */
  async #finish(entry: Entry): Promise<void> {
    const object = decodeObject(entry);
    const { finalizers: _, ...spec } = object.spec;
    const free = this.#with({ ...object, spec }, conditionsOf([], []));
    const { key, revision } = entry;
    await this.#store.commit({
      preconditions: [{ key, revision }],
      ops: [
        ...(isHeld(free)
          ? [{ type: 'put' as const, key, value: encodeObject(free) }]
          : removalOps(key, free, this.#context.ambient.clock.now())),
        { type: 'delete', key: defaultServiceAccountKey(object.metadata.name) },
      ],
    });
    const told = await this.#events?.list(keys.namespace(EVENTS, object.metadata.name));
    const ops = told?.entries.map((one) => ({ type: 'delete' as const, key: one.key })) ?? [];
    if (ops.length > 0) await this.#events?.commit({ preconditions: [], ops });
  }

  /** Says what is left, if that is not said yet. */
  async #tell(key: string, conditions: ReturnType<typeof conditionsOf>): Promise<void> {
    const entry = await this.#store.get(key);
    if (!entry) return;
    const object = decodeObject(entry);
    const told = this.#with(object, conditions);
    const value = encodeObject(told);
    if (value === entry.value) return;
    await this.#store.commit({
      preconditions: [{ key, revision: entry.revision }],
      ops: [{ type: 'put', key, value }],
    });
  }

  /** The conditions keep their times as long as they hold. */
  #with(object: PlumbObject, conditions: ReturnType<typeof conditionsOf>): PlumbObject {
    const before = new Map((object.status?.conditions ?? []).map((one) => [one.type, one]));
    const now = timestamp(this.#context.ambient.clock.now());
    const timed = conditions.map((one) => {
      const was = before.get(one.type);
      const lastTransitionTime = was?.status === one.status ? was.lastTransitionTime : now;
      return { ...one, lastTransitionTime };
    });
    return { ...object, status: { phase: 'Terminating', conditions: timed } as PlumbObject['status'] & object };
  }

  #after(ms: number, then: () => void): () => void {
    return this.#context.ambient.clock.after(ms, () => {
      if (!this.#signal.aborted) then();
    });
  }

  #end(): void {
    for (const { stop } of this.#going.values()) stop?.();
    this.#going.clear();
  }
}

const NAMESPACES = keys.object(definition.plural, undefined, '');

/** Most namespaces are not being deleted, and their texts are not parsed. */
function waitsForContent(text: string): boolean {
  if (!isBeingDeleted({ value: text })) return false;
  const { finalizers } = (JSON.parse(text) as PlumbObject).spec as { finalizers?: unknown };
  return Array.isArray(finalizers) && finalizers.length > 0;
}
