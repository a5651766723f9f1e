/** From what changed to the keys that are to be looked at: by the rules of the kinds, and by what refers to what. */
import { isBuiltin } from '@plumb/schemas';
import type { LiveChange } from '../../fleet/fleet.ts';
import type { CacheChange } from '../../runtime/cache.ts';
import { kindOfKey } from '../../runtime/object-table.ts';
import { contributing } from '../contributor.ts';
import type { Context } from '../controller.ts';
import type { KindModule } from '../kind-module.ts';
import { COALESCE_MS, isDeclaration, isMaterial, usedBy } from './derived.ts';
import { HostSource } from './hosts.ts';
import {
  ANY,
  type ClaimRule,
  type HostEvent,
  type HostRule,
  type LiveEvent,
  type LiveRule,
  type ObjectChange,
  type ObjectRule,
  PLACED,
  type UsersRule,
  type WatchRule,
} from './rules.ts';

/**
 * Follows the cache, the fleet and what instances hold; returns a function that ends it. `modules`: each with what its rules are
 * given.
 */
export function dispatch(context: Context, modules: ReadonlyMap<KindModule, Context>): () => void {
  const dispatcher = new Dispatcher(context, modules);
  const hosts = new HostSource(context, (event) => dispatcher.onHost(event));
  const ends = [
    context.holdings.onChange((change) => dispatcher.onClaim(change)),
    context.index.onFreed((hosts) => dispatcher.onClaim({ networks: NONE, left: NONE, freed: hosts, byAnother: true })),
    // Of what it has written itself its own controller knows.
    context.journal.onChange(({ key, foreign }) => {
      if (foreign && key !== undefined) context.enqueue(key);
    }),
    context.cache.onChange((change) => dispatcher.onObject(change), 'dispatch'),
    context.fleet.onChange((change) => {
      if (change.type === 'host') hosts.moved(change.host);
      else if (change.type === 'troubles') dispatcher.onHost({ type: 'told', host: change.host });
      else dispatcher.onLive(change);
    }),
    context.endpoints.onChange((host) => hosts.readdressed(host)),
    () => hosts.end(),
  ];
  return () => {
    for (const end of ends) end();
  };
}

const NONE: ReadonlySet<string> = new Set();

class Dispatcher {
  readonly #context: Context;
  /** By the kind that changes: what its own kind and those that look at any say of it, and what other kinds say. */
  readonly #objects = new Map<string, { first: readonly ObjectRule[]; last: readonly ObjectRule[] }>();
  /** Names of the kinds whose objects are placed. */
  readonly #placed: ReadonlySet<string>;
  readonly #users: readonly UsersRule[];
  readonly #claims: readonly ClaimRule[];
  readonly #hosts: readonly HostRule[];
  readonly #live: readonly LiveRule[];

  constructor(context: Context, modules: ReadonlyMap<KindModule, Context>) {
    this.#context = context;
    this.#placed = new Set(Array.from(modules.keys()).flatMap(({ kind, placed }) => (placed ? [kind.kind] : [])));
    const given = (rule: WatchRule, own: Context): WatchRule =>
      own === context ? rule : { ...rule, wake: (event: never) => rule.wake(event, own) };
    const byKind = Array.from(modules, ([{ kind, watches }, own]) => ({
      kind: kind.kind,
      watches: watches.map((rule) => given(rule, own)),
    }));
    const contributed = contributing([...modules.keys()]).map(
      ({ kind, contributor: { when, wake } }): ObjectRule => ({ source: 'object', of: kind.kind, when, wake }),
    );
    const all = [...byKind.flatMap(({ watches }) => watches), ...contributed];
    const of = <S extends WatchRule['source']>(source: S) =>
      all.filter((rule): rule is Extract<WatchRule, { source: S }> => rule.source === source);
    this.#users = of('users');
    this.#claims = of('claim');
    this.#hosts = of('host');
    this.#live = of('live');
    for (const { kind, watches } of byKind) {
      const rules = of('object').filter((rule) => rule.of === ANY || rule.of === kind || this.#isPlaced(rule, kind));
      const isFirst = (rule: ObjectRule) => rule.of === ANY || watches.includes(rule);
      this.#objects.set(kind, { first: rules.filter(isFirst), last: rules.filter((rule) => !isFirst(rule)) });
    }
  }

  #isPlaced(rule: { of: string | undefined }, kind: string): boolean {
    return rule.of === PLACED && this.#placed.has(kind);
  }

  onObject(change: CacheChange): void {
    const { key, kind, before, after, aside, wasAside } = change;
    const { read, enqueue } = this.#context;
    // No controller keeps it; who refers to it looks again, whatever changed.
    if (isBuiltin(kind)) {
      for (const referrer of read.referrers(key)) enqueue(referrer.key);
      return;
    }
    // What was blocked by what nobody understood may go on, and deletion of it may begin.
    for (const target of wasAside?.refersTo ?? []) this.#enqueueUsed(target);
    if (aside) enqueue(key);
    if (kind.kind === 'Host' && (!after || aside || wasAside)) this.#enqueueLeavingAside();
    if (!before && !after) {
      for (const referrer of read.referrers(key)) enqueue(referrer.key);
      return;
    }
    const material = isMaterial(before, after);
    const event: ObjectChange = { ...change, material };
    const { first, last } = this.#objects.get(kind.kind)!;
    for (const rule of first) this.#enqueueAll(rule, event);
    if (after && isDeclaration(before, after)) enqueue(key);
    if (material) for (const referrer of read.referrers(key)) enqueue(referrer.key);
    for (const target of usedBy(kind, before, after)) this.#enqueueUsed(target);
    for (const rule of last) this.#enqueueAll(rule, event);
  }

  onHost(event: HostEvent): number {
    let woken = 0;
    for (const rule of this.#hosts)
      if (rule.on === event.type)
        for (const key of (rule as Woken<HostEvent>).wake(event, this.#context)) {
          this.#context.enqueue(key);
          woken++;
        }
    if (event.type === 'moved') this.#enqueueLeavingAside();
    return woken;
  }

  onClaim(change: Parameters<ClaimRule['wake']>[0]): void {
    for (const rule of this.#claims) this.#enqueueAll(rule, change);
  }

  onLive(change: LiveChange & { type: 'resource' }): void {
    const { cache, read, enqueue, journal } = this.#context;
    const flow = journal.get(change.owner);
    if (flow && flow.record.direction !== 'failed') return; // its own flow is at work, and looks once more at the end
    const owner = read.byUid(change.owner);
    const aside = cache.poisoned.byUid(change.owner);
    if (aside) {
      enqueue(aside.key);
      return;
    }
    const event: LiveEvent = { change, owner };
    const of = owner?.kind.kind;
    for (const rule of this.#live)
      if (rule.of === of || rule.of === ANY || (of !== undefined && this.#isPlaced(rule, of)))
        this.#enqueueAll(rule, event);
  }

  #enqueueAll<E>(rule: Woken<E>, event: E): void {
    for (const key of rule.wake(event, this.#context))
      if (rule.asUsed) this.#enqueueUsed(key);
      else this.#context.enqueue(key);
  }

  /** The object that others use, and what is behind it: they keep what their users need on hosts. */
  #enqueueUsed(key: string): void {
    const { read, enqueue } = this.#context;
    if (isBuiltinKey(key)) return;
    const used = read.get(key);
    enqueue(key, used?.object.metadata.deletionTimestamp ? 0 : COALESCE_MS);
    if (!used) return;
    for (const rule of this.#users)
      if (rule.of === used.kind.kind) for (const behind of rule.wake(used, this.#context)) enqueue(behind, COALESCE_MS);
  }

  /** What is deleted and not understood may wait for hosts on which it could be. */
  #enqueueLeavingAside(): void {
    const { cache, enqueue } = this.#context;
    for (const { key, rest } of cache.poisoned.aside()) if (rest.metadata.deletionTimestamp) enqueue(key, COALESCE_MS);
  }
}

/** Nothing is kept on hosts for those who use an object of a built-in kind. */
function isBuiltinKey(key: string): boolean {
  const kind = kindOfKey(key);
  return kind !== undefined && isBuiltin(kind);
}

interface Woken<E> {
  wake(event: E, context: Context): Iterable<string>;
  asUsed?: true;
}
