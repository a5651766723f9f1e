/** What some hosts share with others: the objects of which each may have something, however many instances it carries. */
import type { Context } from '../controller.ts';
import type { Sharing } from './rules.ts';

/** Of more hosts than this, and than there are objects of a kind, each is not asked for its own: that would take longer. */
const MANY = 100;

export class SharedOn implements Sharing {
  readonly #context: Pick<Context, 'read' | 'fleet' | 'holdings'>;
  readonly #hosts: ReadonlySet<string>;
  /** By plural; asked for once for all kinds. */
  #found: Map<string, Set<string>> | undefined;

  constructor(context: Pick<Context, 'read' | 'fleet' | 'holdings'>, hosts: ReadonlySet<string>) {
    this.#context = context;
    this.#hosts = hosts;
  }

  keysOf(plural: string): Iterable<string> {
    if (this.#hosts.size > MANY) {
      const all = Array.from(this.#context.read.list(plural), ({ key }) => key);
      if (this.#hosts.size > all.length) return all;
    }
    this.#found ??= this.#find();
    return this.#found.get(plural) ?? [];
  }

  #find(): Map<string, Set<string>> {
    const { read, fleet, holdings } = this.#context;
    const uids = new Set<string>();
    for (const host of this.#hosts) {
      for (const uid of fleet.host(host)?.sharers() ?? []) uids.add(uid);
      for (const uid of holdings.networksOn(host)) uids.add(uid);
    }
    const found = new Map<string, Set<string>>();
    for (const uid of uids) {
      const owner = read.byUid(uid);
      if (owner === undefined) continue;
      const { plural } = owner.kind;
      found.set(plural, (found.get(plural) ?? new Set()).add(owner.key));
    }
    return found;
  }
}
