/** What each kind may read, and how it is held to it: in tests and in the simulation. */
import { everyKind, host, kinds } from '@plumb/schemas';
import { BoundedReader } from '../runtime/reader.ts';
import { pluralOf } from '../store/keys.ts';
import type { Contributors } from './contributor.ts';
import type { Context } from './controller.ts';
import type { KindModule } from './kind-module.ts';
import type { SharedProvider, SharedProviders } from './shared-provider.ts';
import { ANY, PLACED, type WatchRule } from './watch/rules.ts';

/** Told of what a module does and does not declare. */
export type OnBreach = (what: string) => void;

/**
 * Names of the kinds that the module of a kind may read: its own, those that it refers to and those that refer to it, those of
 * which a rule wakes it, Host where what becomes of hosts does, and what it names beside them.
 */
export function readsOf({ kind, watches, alsoReads = [] }: KindModule): Set<string> {
  const read = new Set([kind.kind, ...kind.references.map((reference) => reference.kind)]);
  for (const { kind: other, references } of kinds)
    if (references.some((reference) => reference.kind === kind.kind)) read.add(other);
  if (watches.some(({ source }) => source === 'host')) read.add(host.kind);
  for (const rule of watches)
    if ('of' in rule && rule.of !== undefined && rule.of !== ANY && rule.of !== PLACED) read.add(rule.of);
  for (const { kind: also } of alsoReads)
    for (const other of kinds) if (also === ANY || also === other.kind) read.add(other.kind);
  return read;
}

/** The context of a module that is held to what it declares that it reads. */
export function boundedContext(module: KindModule, context: Context, onBreach: OnBreach): Context {
  const reads = readsOf(module);
  const plurals = new Set(everyKind.filter(({ kind }) => reads.has(kind)).map(({ plural }) => plural));
  const read = new BoundedReader(context.read, plurals, (plural) =>
    onBreach(`the module of ${module.kind.kind} reads ${plural}, which it does not declare`),
  );
  return { ...context, read };
}

/** Who provides, held to what its own module declares, for those that are held to theirs. */
export function boundedProviders(contexts: ReadonlyMap<KindModule, Context>): SharedProviders {
  const bounded = new Map<string, SharedProvider>();
  for (const [{ provides = [] }, own] of contexts)
    for (const provider of provides)
      bounded.set(provider.type, {
        type: provider.type,
        provide: (asking, id, host, used) =>
          provider.provide(asking.read instanceof BoundedReader ? own : asking, id, host, used),
      });
  return bounded;
}

/** Who contributes, likewise. */
export function boundedContributors(contexts: ReadonlyMap<KindModule, Context>): Contributors {
  return Array.from(contexts).flatMap(([{ contributes }, own]) => {
    if (contributes === undefined) return [];
    const held = (asking: Context) => (asking.read instanceof BoundedReader ? own : asking);
    return {
      ...contributes,
      likeness: (asking, object) => contributes.likeness(held(asking), object),
      contribute: (asking, object, resources) => contributes.contribute(held(asking), object, resources),
    };
  });
}

/** The module with rules that are held to its own kind. */
export function boundedRules(module: KindModule, onBreach: OnBreach): KindModule {
  const { kind, watches } = module;
  const held = (rule: WatchRule): WatchRule => ({
    ...rule,
    *wake(event: never, context: Context) {
      for (const key of rule.wake(event, context)) {
        if (pluralOf(key) !== kind.plural) onBreach(`a rule of ${kind.kind} wakes ${key}`);
        yield key;
      }
    },
  });
  return { ...module, watches: watches.map(held) };
}
