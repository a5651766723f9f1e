/** Which instances belong to each spread group: found without looking at all others, of which there may be very many. */
import type { Instance } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import type { OwnState } from '../own-state.ts';

export const spreadGroups: OwnState<SpreadGroups> = {
  name: 'the members of each spread group',
  begin: (context) => new SpreadGroups(context),
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
    if (group === undefined) return undefined;
    if (!this.#begun) this.#begin();
    const counts = new Map<string, number>();
    for (const uid of this.#members.get(group) ?? [])
      if (uid !== instance.metadata.uid)
        for (const host of this.#context.holdings.hostsOf(uid)) counts.set(host, (counts.get(host) ?? 0) + 1);
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

function groupOf({ metadata, spec }: Instance): string | undefined {
  return spec.spread && `${metadata.namespace}/${spec.spread.group}`;
}
