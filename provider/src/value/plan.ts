/** What a configuration will come to: the planned state, and what forces a replacement. Pure. */
import type { TerraformAttribute, TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { isUnfinished } from './object.ts';
import type { Step } from './path.ts';
import type { Private } from './private.ts';
import { equal, isObject, isWhollyKnown, type ObjectValue, UNKNOWN, type Value } from './value.ts';

export interface Planned {
  state: ObjectValue;
  requiresReplace: Step[][];
}

/**
 * Plans one resource. The configuration alone decides what is declared: an attribute that it leaves out gets its
 * default or becomes null, whatever it was before. `status` is what it was, but for the leaves that a change can alter, and those that
 * are still on their way to what was declared before. What is being deleted (`kept`) comes back only as a new object.
 */
export function planResource(
  kind: TerraformKind,
  config: ObjectValue,
  prior: ObjectValue | null,
  kept: Private = {},
): Planned {
  const declared = kind.resource.filter((a) => a.name !== 'status');
  const state = withDefaults(config, declared);
  if (!prior) return { state: { ...state, status: unknownStatus(kind.status) }, requiresReplace: [] };
  if (kept.deleting) {
    // Terraform replaces only for an attribute that changes: the new object has another uid.
    return { state: { ...state, status: unknownStatus(kind.status) }, requiresReplace: [toSteps(['status', 'uid'])] };
  }

  const changed = declared.filter((a) => !equal(state[a.name], prior[a.name])).map((a) => a.name);
  const moving = isUnfinished(prior) || kept.unready === true;
  const altering = changed.filter((name) => kind.spec.some((a) => a.name === name));
  return {
    state: { ...state, status: plannedStatus(kind.status, prior, altering, moving) },
    requiresReplace: kind.replacedBy.filter((path) => !equal(at(state, path), at(prior, path))).map(toSteps),
  };
}

/** The object with the defaults of what it leaves out, at every depth that it reaches. */
function withDefaults(object: ObjectValue, attributes: readonly TerraformAttribute[]): ObjectValue {
  return Object.fromEntries(attributes.map((a) => [a.name, withDefault(object[a.name] ?? null, a)]));
}

function withDefault(value: Value, attribute: TerraformAttribute): Value {
  if (value === null) return (attribute.default as Value | undefined) ?? null;
  const { nested } = attribute;
  if (!nested) return value;
  if (Array.isArray(value)) {
    return value.map((item) => (isObject(item) ? withDefaults(item, nested.attributes) : item));
  }
  return isObject(value) ? withDefaults(value, nested.attributes) : value;
}

function unknownStatus(leaves: readonly TerraformAttribute[]): ObjectValue {
  return Object.fromEntries(leaves.map((leaf) => [leaf.name, UNKNOWN]));
}

function plannedStatus(
  leaves: readonly TerraformAttribute[],
  prior: ObjectValue,
  altering: readonly string[],
  moving: boolean,
): ObjectValue {
  const before = isObject(prior.status) ? prior.status : {};
  const stays = ({ name, alteredBy }: TerraformAttribute) => {
    if (moving) return name === 'uid';
    return alteredBy ? !altering.some((name) => alteredBy.includes(name)) : altering.length === 0;
  };
  return Object.fromEntries(leaves.map((leaf) => [leaf.name, stays(leaf) ? (before[leaf.name] ?? null) : UNKNOWN]));
}

function at(object: ObjectValue, path: readonly string[]): Value {
  let value: Value = object;
  for (const name of path) {
    if (value === UNKNOWN) return UNKNOWN;
    value = isObject(value) ? (value[name] ?? null) : null;
  }
  return value;
}

function toSteps(path: readonly string[]): Step[] {
  return path.map((attribute) => ({ attribute }));
}

/**
 * The state after an apply: what was planned, with what was unknown filled in from `live`. A leaf that was planned as
 * known stays as planned even where it moved in the meantime, as Terraform demands; the next refresh shows the move.
 */
export function settle(planned: Value, live: Value): Value {
  if (planned === UNKNOWN) return live;
  if (isWhollyKnown(planned)) return planned;
  if (Array.isArray(planned)) {
    return planned.map((item, index) => settle(item, Array.isArray(live) ? (live[index] ?? null) : null));
  }
  const found = isObject(live) ? live : {};
  return Object.fromEntries(
    Object.entries(planned as ObjectValue).map(([name, value]) => [name, settle(value, found[name] ?? null)]),
  );
}
