/** What Plumb makes of a history, in the form in which Kubernetes' field manager answers (bench/peers/go/kubernetes/apply). */
import { kindByName } from '@plumb/schemas';
import { pathText } from '@plumb/schemas/apply/element.ts';
import type { ManagedFieldsEntry } from '@plumb/schemas/apply/managed-fields.ts';
import { managerText, type Place, trackApply, trackUpdate } from '@plumb/schemas/apply/track.ts';
import { objectType } from '@plumb/schemas/apply/type.ts';
import { mistakesOf } from '@plumb/schemas/apply/typed.ts';
import type { History, Step } from './histories.ts';

export interface Outcome {
  object?: Fields;
  conflicts?: { message: string; field: string }[];
  error?: string;
}

type Fields = Record<string, unknown> & { metadata: Record<string, unknown> };

export function playAll({ kind, steps }: History): Outcome[] {
  let live: Fields | undefined;
  return steps.map((step) => {
    const outcome = take(kind, live, step);
    if (outcome.object) {
      // It has one from the beginning: without one it would be taken for a new object.
      outcome.object.metadata.uid = 'uid';
      live = outcome.object;
    }
    return structuredClone(outcome);
  });
}

const NOW = '2026-01-01T00:00:00Z';

function take(kind: string, live: Fields | undefined, { op, manager, force, subresource, object }: Step): Outcome {
  const place: Place = {
    type: objectType(kindByName(kind)!),
    apiVersion: 'plumb.dev/v1',
    kind,
    ...(subresource ? { subresource } : {}),
  };
  const writer = { manager, now: NOW };
  const mistakes = mistakesOf(place.type, object);
  if (mistakes.length > 0) return { error: mistakes.join('\n') };
  if (op === 'update') {
    const entries = trackUpdate(place, live, object, undefined, writer);
    return { object: withEntries(object, entries) };
  }
  const tracked = trackApply(place, live, object, writer, force);
  if ('conflicts' in tracked) {
    const conflicts = tracked.conflicts.map((one) => ({
      message: `conflict with ${managerText(one.manager)}`,
      field: pathText(one.path),
    }));
    return { conflicts };
  }
  return { object: withEntries((tracked.object ?? live ?? object) as Fields, tracked.entries) };
}

function withEntries(object: Record<string, unknown>, entries: ManagedFieldsEntry[] | undefined): Fields {
  const { managedFields: _, ...metadata } = (object.metadata ?? {}) as Record<string, unknown>;
  return { ...object, metadata: entries ? { ...metadata, managedFields: entries } : metadata };
}

/** An outcome as it is compared: without times, entries and conflicts in one order. */
export function plain({ object, conflicts, error }: Outcome): unknown {
  if (error !== undefined) return 'refused';
  if (conflicts) return conflicts.map(({ message, field }) => `${message}: ${field}`).sort();
  const { managedFields, ...metadata } = object!.metadata;
  const entries = ((managedFields ?? []) as ManagedFieldsEntry[]).map(({ time: _, ...entry }) => entry);
  return sorted({ ...object, metadata: { ...metadata, managedFields: entries.sort(byId) } });
}

function byId(a: ManagedFieldsEntry, b: ManagedFieldsEntry): number {
  const id = ({ manager, operation, subresource = '' }: ManagedFieldsEntry) => `${manager} ${operation} ${subresource}`;
  return id(a) < id(b) ? -1 : 1;
}

/** With the fields of objects in one order; what is absent and what is undefined is the same. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).filter(([, field]) => field !== undefined);
  return Object.fromEntries(fields.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, field]) => [key, sorted(field)]));
}
