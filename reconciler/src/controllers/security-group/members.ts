/** The addresses of the interfaces that each group selects: kept by changes, so that one of very many costs itself alone. */
import type { PlumbObject, SecurityGroup } from '@plumb/schemas';
import { selects } from '@plumb/schemas/selectors/selects.ts';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import type { OwnState } from '../own-state.ts';
import { type Group, takes } from './groups.ts';

export const groupMembers: OwnState<Pick<GroupMembers, 'of'>> = {
  name: 'the interfaces that each security group selects',
  begin: (context) => new GroupMembers(context),
};

interface Interface {
  name: string;
  addresses: readonly string[];
}

/** Of a selected object: how many interfaces of it, and their addresses. */
interface Member {
  interfaces: number;
  addresses: readonly string[];
}

export interface Members {
  readonly interfaces: number;
  /** Each once, sorted. */
  readonly addresses: readonly string[];
}

interface Kept {
  group: Group;
  byUid: Map<string, Member>;
}

export class GroupMembers {
  readonly #context: Context;
  /** By uid of the group, as far as somebody asked. */
  readonly #kept = new Map<string, Kept>();
  /** uids of those, by project. */
  readonly #byProject = new Map<string, Set<string>>();

  constructor(context: Context) {
    this.#context = context;
    context.cache.onChange(({ kind, before, after }) => {
      if (this.#kept.size === 0) return;
      const { object } = (after ?? before)!;
      if (kind.kind === 'SecurityGroup' && after === undefined) this.#drop(object);
      for (const uid of this.#byProject.get(object.metadata.namespace ?? '') ?? [])
        this.#note(this.#kept.get(uid)!, object, after);
    }, 'the members of security groups');
  }

  of(group: Group): Members {
    const { uid } = group.object.metadata;
    let kept = this.#kept.get(uid);
    if (kept === undefined || !selectsAlike(kept.group, group)) {
      kept = this.#look(group);
      this.#kept.set(uid, kept);
    }
    let interfaces = 0;
    const addresses = new Set<string>();
    for (const member of kept.byUid.values()) {
      interfaces += member.interfaces;
      for (const address of member.addresses) addresses.add(address);
    }
    return { interfaces, addresses: [...addresses].sort() };
  }

  #look(group: Group): Kept {
    const { namespace = '', uid } = group.object.metadata;
    const kept: Kept = { group, byUid: new Map() };
    for (const { kind, placed } of this.#context.kinds)
      if (placed) for (const cached of this.#context.read.list(kind.plural)) this.#note(kept, cached.object, cached);
    const known = this.#byProject.get(namespace);
    if (known) known.add(uid);
    else this.#byProject.set(namespace, new Set([uid]));
    return kept;
  }

  #note({ group, byUid }: Kept, object: PlumbObject, now: Cached | undefined): void {
    const member = now && memberOf(group, now.object);
    if (member) byUid.set(object.metadata.uid, member);
    else byUid.delete(object.metadata.uid);
  }

  #drop({ metadata }: PlumbObject): void {
    this.#kept.delete(metadata.uid);
    this.#byProject.get(metadata.namespace ?? '')?.delete(metadata.uid);
  }
}

function selectsAlike({ object: a }: Group, { object: b }: Group): boolean {
  return a === b || selecting(a) === selecting(b);
}

function selecting({ spec: { selector, interfaces } }: SecurityGroup): string {
  return JSON.stringify([selector, interfaces]);
}

function memberOf(group: Group, { metadata, status }: PlumbObject): Member | undefined {
  if (metadata.namespace !== group.object.metadata.namespace) return undefined;
  const { interfaces } = (status ?? {}) as { interfaces?: readonly Interface[] };
  if (!Array.isArray(interfaces) || !selects(group.object.spec.selector, metadata.labels)) return undefined;
  const selected = interfaces.filter(({ name }) => takes(group, name));
  return { interfaces: selected.length, addresses: selected.flatMap(({ addresses }) => addresses) };
}
