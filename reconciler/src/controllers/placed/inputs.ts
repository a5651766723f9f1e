/** What a plan is made from and what it leads to, each told apart by a short text. */
import { createHash } from 'node:crypto';
import { type HostResource, type PlumbObject, resourceTypes } from '@plumb/schemas';
import { conceal } from '@plumb/schemas/project/conceal.ts';
import { schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import type { FlowRecord } from '../../flow/record.ts';
import type { Held } from '../../plan/holding.ts';
import { likenessOf } from '../contributor.ts';
import { RETRY_ANNOTATION } from '../retry.ts';
import { isApplied } from './applied.ts';
import type { PlacedContext, Resolved } from './placed-kind.ts';
import { resourcesOf } from './resources.ts';
import { isSettled } from './settle.ts';

/** So many characters of 64 are 66 bits. */
const CHARACTERS = 11;

/** Changes when anything changes that could make a failed plan succeed. */
export function inputsOf(context: PlacedContext, object: PlumbObject, resolved: Resolved): string {
  return short(inputsInFull(context, object, resolved));
}

/** Whether the flow was made from the same. Records of 0.2 say all of it. */
export function isMadeFrom(
  context: PlacedContext,
  { inputs }: FlowRecord,
  object: PlumbObject,
  resolved: Resolved,
): boolean {
  const full = inputsInFull(context, object, resolved);
  return inputs === short(full) || inputs === full;
}

function inputsInFull(context: PlacedContext, object: PlumbObject, { used }: Resolved): string {
  const { metadata } = object;
  const retry = metadata.annotations?.[RETRY_ANNOTATION] ?? '';
  // Kubernetes' own kinds have no generation, and no status that would change beside them.
  const generations = used.map(({ object, revision }) => {
    const { uid, generation = revision } = object.metadata;
    return `${uid}:${generation}`;
  });
  const contributed = likenessOf(context, object);
  return [metadata.generation, retry, ...generations, ...(contributed === '' ? [] : [contributed])].join(' ');
}

/**
 * What the object is to have, whatever lives: another when something that it refers to changed it. What is secret is left out, since
 * this is shown: a change of that is one of the object itself.
 */
export function wantedOf(context: PlacedContext, object: PlumbObject, resolved: Resolved, target: Held): string {
  return digestOf(resourcesOf(context, object, target, resolved, NOTHING).own);
}

/** Of own resources as they are made where nothing lives yet. */
export function digestOf(resources: readonly HostResource[]): string {
  const texts = resources.map(({ kind, id, spec }) => {
    const shown = conceal(schemaNode(resourceTypes.definition(kind).spec), spec);
    return `${kind}/${id} ${JSON.stringify(shown)}`;
  });
  return short(texts.sort().join('\n'));
}

const NOTHING = new Map();

/**
 * Whether what was found is drift, and no work that is still to do: nothing was declared otherwise since the object was as declared,
 * neither of it nor of what it refers to.
 */
export function isDrift(context: PlacedContext, object: PlumbObject, resolved: Resolved, target: Held): boolean {
  if (!isApplied(object)) return false;
  const { applied } = object.status as { applied?: string };
  // The version before did not write it: then it is told by what is held.
  if (applied === undefined) return isSettled(context, object, target);
  return applied === wantedOf(context, object, resolved, target);
}

function short(text: string): string {
  return createHash('sha256').update(text).digest('base64url').slice(0, CHARACTERS);
}
