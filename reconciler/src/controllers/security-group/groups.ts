/** The security groups of each project, by what they select: asked for with every plan. */
import type { PlumbObject, SecurityGroup } from '@plumb/schemas';
import { securityGroup } from '@plumb/schemas';
import { selects } from '@plumb/schemas/selectors/selects.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Reader } from '../../runtime/reader.ts';
import type { OwnState } from '../own-state.ts';

export type Group = Cached<SecurityGroup>;

export const securityGroups: OwnState<SecurityGroups> = {
  name: 'the security groups of each project',
  begin(context) {
    const groups = new SecurityGroups(context.read);
    context.cache.onChange(({ kind }) => {
      if (kind.kind === securityGroup.kind) groups.forget();
    }, 'security groups');
    return groups;
  },
  imagine: (_, { read }) => new SecurityGroups(read),
};

/** Beyond so many kinds of labels it begins anew. */
const MOST_KNOWN = 10_000;

export class SecurityGroups {
  readonly #read: Reader;
  /** By project; what is being deleted selects nothing. */
  #groups: Map<string, Group[]> | undefined;
  /** By project and labels. */
  #known = new Map<string, readonly Group[]>();
  /** Another after each change of one of them. */
  version = 0;

  constructor(read: Reader) {
    this.#read = read;
  }

  forget(): void {
    this.version++;
    this.#groups = undefined;
    this.#known.clear();
  }

  /** Those that select interfaces of the object, by name. */
  selecting({ metadata }: PlumbObject): readonly Group[] {
    const { namespace, labels = {} } = metadata;
    const groups = namespace === undefined ? undefined : this.#all().get(namespace);
    if (groups === undefined) return [];
    const key = `${namespace} ${JSON.stringify(labels)}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found = groups.filter(({ object }) => selects(object.spec.selector, labels));
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    this.#known.set(key, found);
    return found;
  }

  #all(): Map<string, Group[]> {
    if (this.#groups) return this.#groups;
    const groups = new Map<string, Group[]>();
    for (const group of this.#read.list<SecurityGroup>(securityGroup.plural)) {
      const { namespace = '', deletionTimestamp } = group.object.metadata;
      if (deletionTimestamp !== undefined) continue;
      const known = groups.get(namespace);
      if (known) known.push(group);
      else groups.set(namespace, [group]);
    }
    for (const each of groups.values()) each.sort((a, b) => (a.object.metadata.name < b.object.metadata.name ? -1 : 1));
    this.#groups = groups;
    return groups;
  }
}

/** Whether the group selects the interface of an object that it selects. */
export function takes({ object }: Group, interfaceName: string): boolean {
  return object.spec.interfaces?.includes(interfaceName) ?? true;
}
