/** Which instances belong to each spread group: found without looking at all others, of which there may be very many. */
import type { Instance } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import type { Hypothesis } from '../kind-preview.ts';
import type { OwnState } from '../own-state.ts';

export const spreadGroups: OwnState<Pick<SpreadGroups, 'counts'>> = {
  name: 'the members of each spread group',
  begin: (context) => new SpreadGroups(context),
  imagine: (real, _, hypothesis) => new ImaginedGroups(real as SpreadGroups, hypothesis),
};

export class SpreadGroups {
  readonly #context: Context;
  /** `project/group` → uids. */
  readonly #members = new Map<string, Set<string>>();
  #begun = false;

  constructor(context: Context) {
    this.#context = context;
    context.cache.onChange(({ kind, before, after }) => {
      if (kind.kind !== 'Instance' || !this.#begun) return;
      if (before) this.#remove(before);
      if (after) this.#add(after);
    }, 'the spread of instances');
  }

  /** Host → other instances of the instance's spread group that hold a share of it; nothing for one without a group. */
  counts(instance: Instance): Map<string, number> | undefined {
    const group = groupOf(instance);
    return group === undefined ? undefined : this.count(this.members(group), instance.metadata.uid);
  }

  /** uids of the members of a group. */
  members(group: string): Iterable<string> {
    if (!this.#begun) this.#begin();
    return this.#members.get(group) ?? [];
  }

  /** Host → how many of these hold a share of it, but for `own`; `placed` says of some where they would be. */
  count(uids: Iterable<string>, own: string, placed?: ReadonlyMap<string, string>): Map<string, number> {
    const counts = new Map<string, number>();
    for (const uid of uids) {
      if (uid === own) continue;
      const host = placed?.get(uid);
      for (const on of host === undefined ? this.#context.holdings.hostsOf(uid) : [host])
        counts.set(on, (counts.get(on) ?? 0) + 1);
    }
    return counts;
  }

  #begin(): void {
    this.#begun = true;
    for (const cached of this.#context.read.list('instances')) this.#add(cached);
  }

  #add({ object }: Cached): void {
    const group = groupOf(object as Instance);
    if (group === undefined) return;
    const members = this.#members.get(group);
    if (members) members.add(object.metadata.uid);
    else this.#members.set(group, new Set([object.metadata.uid]));
  }

  #remove({ object }: Cached): void {
    const group = groupOf(object as Instance);
    const members = group === undefined ? undefined : this.#members.get(group);
    members?.delete(object.metadata.uid);
    if (members?.size === 0) this.#members.delete(group!);
  }
}

/** The groups, if the objects of a hypothesis were there. */
class ImaginedGroups {
  readonly #real: SpreadGroups;
  readonly #placed: ReadonlyMap<string, string>;
  /** uids of the imagined instances, and by group those that are in one. */
  readonly #all = new Set<string>();
  readonly #groups = new Map<string, string[]>();

  constructor(real: SpreadGroups, { objects, placed }: Hypothesis) {
    this.#real = real;
    this.#placed = placed;
    for (const { kind, object } of objects.values()) {
      if (kind.kind !== 'Instance') continue;
      this.#all.add(object.metadata.uid);
      const group = groupOf(object as Instance);
      if (group === undefined) continue;
      const known = this.#groups.get(group);
      if (known) known.push(object.metadata.uid);
      else this.#groups.set(group, [object.metadata.uid]);
    }
  }

  counts(instance: Instance): Map<string, number> | undefined {
    const group = groupOf(instance);
    if (group === undefined) return undefined;
    const others = [...this.#real.members(group)].filter((uid) => !this.#all.has(uid));
    return this.#real.count([...others, ...(this.#groups.get(group) ?? [])], instance.metadata.uid, this.#placed);
  }
}

function groupOf({ metadata, spec }: Instance): string | undefined {
  return spec.spread && `${metadata.namespace}/${spec.spread.group}`;
}
