/**
 * Who owns what of an object, and what becomes of it when somebody updates or applies. Rules: Kubernetes' server-side apply (KEP-555).
 * Managers are named by texts of the caller's choice; nothing here knows of times, subresources or requests.
 */
import { isDeepStrictEqual } from 'node:util';
import { compare, type Difference, filtered } from './compare.ts';
import { byText, type Element } from './element.ts';
import { FieldSet } from './field-set.ts';
import { merged } from './merge.ts';
import type { FieldType } from './type.ts';
import { fieldsOf, typeBelow, withNamedFields, without } from './typed.ts';

export interface Owner {
  fields: FieldSet;
  /** Whether it declares what it owns; else it has written it some time. */
  applied: boolean;
}

export type Owners = ReadonlyMap<string, Owner>;

/** A field that an apply wants to change, and who else owns it. */
export interface Conflict {
  manager: string;
  path: readonly Element[];
}

/** What of the objects counts. */
export interface Scope {
  type: FieldType;
  /** Fields that this road never writes, with all below them: nobody gains or loses them. */
  ignored?: FieldSet;
}

export interface Applied {
  /** undefined when the object stays as it is. */
  object: unknown;
  owners: Map<string, Owner>;
}

/** After `manager` has written `after` in place of `before`. */
export function updated(
  scope: Scope,
  before: unknown,
  after: unknown,
  owners: Owners,
  manager: string,
): Map<string, Owner> {
  const current = reconciled(scope.type, owners);
  const difference = differenceIn(scope, before, after);
  const left = taken(current, difference, conflictsOf(current, difference, manager), manager);
  const own = left.get(manager)?.fields ?? new FieldSet();
  const fields = kept(scope, own.difference(difference.removed).union(difference.modified).union(difference.added));
  if (fields.isEmpty) left.delete(manager);
  else left.set(manager, { fields, applied: false });
  return left;
}

/**
 * After `manager` has applied `applied` over `live`: what it said before and says no more goes, unless somebody else owns it. Returns
 * the conflicts instead when there are any and it is not by force.
 */
export function appliedOver(
  scope: Scope,
  live: unknown,
  applied: unknown,
  owners: Owners,
  manager: string,
  force: boolean,
): Applied | { conflicts: Conflict[] } {
  const current = reconciled(scope.type, owners);
  const last = current.get(manager)?.fields;
  current.set(manager, { fields: kept(scope, fieldsOf(scope.type, applied)), applied: true });
  let object = merged(scope.type, live, applied);
  if (last && !last.isEmpty) object = pruned(scope.type, object, current, last);
  const difference = differenceIn(scope, live, object);
  const conflicts = conflictsOf(current, difference, manager);
  if (!force && conflicts.size > 0) {
    const named = [...conflicts].sort(([a], [b]) => byText(a, b));
    return { conflicts: named.flatMap(([other, set]) => set.paths().map((path) => ({ manager: other, path }))) };
  }
  const left = taken(current, difference, conflicts, manager);
  return { object: isDeepStrictEqual(live, object) ? undefined : object, owners: left };
}

function differenceIn(scope: Scope, before: unknown, after: unknown): Difference {
  const difference = compare(scope.type, before, after);
  return scope.ignored ? filtered(difference, (set) => kept(scope, set)) : difference;
}

function kept({ ignored }: Scope, set: FieldSet): FieldSet {
  return ignored ? set.differenceBelow(ignored) : set;
}

/** What others own of that which changes. */
function conflictsOf(owners: Owners, { added, modified }: Difference, manager: string): Map<string, FieldSet> {
  const conflicts = new Map<string, FieldSet>();
  const changed = modified.union(added);
  for (const [other, { fields }] of owners) {
    if (other === manager) continue;
    const both = fields.intersection(changed);
    if (!both.isEmpty) conflicts.set(other, both);
  }
  return conflicts;
}

/** The owners without what was taken from them, and without what is gone. */
function taken(
  owners: Owners,
  { removed }: Difference,
  conflicts: ReadonlyMap<string, FieldSet>,
  manager: string,
): Map<string, Owner> {
  const left = new Map<string, Owner>();
  for (const [name, { fields, applied }] of owners) {
    const lost = conflicts.get(name);
    let still = lost ? fields.difference(lost) : fields;
    if (name !== manager) still = still.difference(removed);
    if (!still.isEmpty) left.set(name, { fields: still, applied });
  }
  return left;
}

/** The merged object without what the manager said last time, except what somebody says now and what was never said. */
function pruned(type: FieldType, object: unknown, owners: Owners, last: FieldSet): unknown {
  const whole = withNamedFields(type, fieldsOf(type, object));
  const named = withNamedFields(type, last);
  const rest = without(type, object, named);
  let owned = new FieldSet();
  for (const { fields } of owners.values()) owned = owned.union(fields);
  const staying = withNamedFields(type, fieldsOf(type, rest)).union(withNamedFields(type, owned));
  const withOwned = without(type, object, whole.difference(staying));
  const left = withNamedFields(type, fieldsOf(type, withOwned));
  return without(type, object, whole.difference(left).intersection(named));
}

/** The owners, where a list or map that was owned by its parts is now one value, with that value. */
function reconciled(type: FieldType, owners: Owners): Map<string, Owner> {
  const result = new Map<string, Owner>();
  for (const [name, { fields, applied }] of owners) result.set(name, { fields: asTyped(type, fields), applied });
  return result;
}

function asTyped(type: FieldType | undefined, set: FieldSet): FieldSet {
  let changed = false;
  const members = new Set(set.members);
  const children = new Map<Element, FieldSet>();
  for (const [step, below] of set.children) {
    const at = typeBelow(type, step);
    if (at && ((at.of === 'list' && at.relation === 'atomic') || (at.of === 'map' && at.atomic))) {
      members.add(step);
      changed = true;
      continue;
    }
    const typed = asTyped(at, below);
    if (typed !== below) changed = true;
    children.set(step, typed);
  }
  return changed ? new FieldSet(members, children) : set;
}
