/** What is stored, as that which a client changes: also when it cannot be understood, so that a valid object mends it. */
import { isDeepStrictEqual } from 'node:util';
import { type PlumbError, type PlumbObject, terminal } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { hasShape } from '@plumb/schemas/project/shape.ts';
import { type SchemaNode, schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { markedText, type Poison } from '../store/examine.ts';
import type { Entry } from '../store/store.ts';
import type { Json } from './body/json.ts';
import type { ApiContext } from './call.ts';
import { storedObject } from './readable.ts';
import type { WritableResource } from './resource.ts';

export interface Basis {
  current: PlumbObject;
  /** What the client wants it to be. */
  wanted: Json | undefined;
  /** Whether the record could not be understood: then every valid object is a change of it. */
  isPoisoned: boolean;
  /** The text to store when nothing is wanted of what is being deleted but that it goes: finalizers are taken away. */
  released?: string;
}

/**
 * The object of the entry and what `want` makes of it. Of a record that cannot be understood the object is what could be; a
 * field that is fixed at creation and was lost is what the client says, and without a uid of its own it is a new object.
 */
export function basisOf(
  { ambient }: ApiContext,
  resource: WritableResource,
  entry: Entry,
  want: (current: PlumbObject) => Json | undefined,
): Basis {
  const { object, poison } = storedObject(resource, entry);
  const wanted = want(object);
  if (!poison) return { current: object, wanted, isPoisoned: false };
  const { metadata } = object;
  const isNew = poison.uid === undefined;
  const current: PlumbObject = {
    ...object,
    metadata: isNew
      ? { ...metadata, uid: ambient.ids.uid(), creationTimestamp: timestamp(ambient.clock.now()) }
      : metadata,
    ...(resource.definition.fields ? {} : { spec: withFixed(resource, object.spec, wanted) }),
  };
  const released = releasedText(entry, poison, wanted);
  return { current, wanted, isPoisoned: true, ...(released === undefined ? {} : { released }) };
}

function releasedText(entry: Entry, poison: Poison, wanted: Json | undefined): string | undefined {
  const { spec, metadata } = poison.rest;
  const { deletionTimestamp, finalizers = [] } = metadata;
  if (deletionTimestamp === undefined || !isRecord(wanted) || !isRecord(wanted.metadata)) return undefined;
  const left = wanted.metadata.finalizers ?? [];
  const isLess = Array.isArray(left) && left.length < finalizers.length;
  if (!isLess || !left.every((one) => finalizers.includes(one as string))) return undefined;
  if (!isDeepStrictEqual(wanted.spec ?? {}, spec ?? {})) return undefined;
  const rest = { ...poison.rest, metadata: { ...metadata, finalizers: left as string[] } };
  return markedText(entry, { ...poison, rest }, deletionTimestamp);
}

/** Said of a status that is to be written of what nobody understands. */
export function unmendable({ kind }: WritableResource, name: string): PlumbError {
  return terminal(
    'Poisoned',
    `${kind} "${name}" cannot be understood, and has no status that could be written: mend its spec first, or delete it`,
  );
}

/** The spec with the fields that never change as they are wanted, where what is stored there is not even a value of the field. */
function withFixed({ definition }: WritableResource, spec: unknown, wanted: unknown): Record<string, unknown> {
  const fixed = structuredClone(spec) as Record<string, unknown>;
  const want = (wanted as { spec?: unknown } | null | undefined)?.spec;
  for (const path of definition.immutable) {
    const steps = path.split('.');
    const value = valueAt(fixed, steps);
    const node = steps.reduce<SchemaNode | undefined>(
      (at, step) => at?.properties?.[step],
      schemaNode(definition.spec),
    );
    if (value === undefined || (node && !hasShape(node, value))) setAt(fixed, steps, valueAt(want, steps));
  }
  return fixed;
}

function valueAt(value: unknown, steps: readonly string[]): unknown {
  return steps.reduce<unknown>((at, step) => (isRecord(at) && Object.hasOwn(at, step) ? at[step] : undefined), value);
}

function setAt(spec: Record<string, unknown>, steps: readonly string[], value: unknown): void {
  if (value === undefined) return;
  let at = spec;
  for (const step of steps.slice(0, -1)) {
    const next = at[step];
    if (isRecord(next)) at = next;
    else {
      const made = {};
      at[step] = made;
      at = made;
    }
  }
  at[steps.at(-1)!] = value;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
