/** Objects as they would be when they were applied, for a preview. */

import { isBuiltin, type KindDefinition, type PlumbObject } from '@plumb/schemas';
import { contestedFields, type OwnedField, ownedText, stayingFields } from '@plumb/schemas/apply/explain.ts';
import { trackApply } from '@plumb/schemas/apply/track.ts';
import { objectType } from '@plumb/schemas/apply/type.ts';
import { mistakesOf } from '@plumb/schemas/apply/typed.ts';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { copyOf } from '@plumb/schemas/project/json-copy.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { type InnerRules, type Judged, judgeInner } from '@plumb/schemas/project/validate-inner.ts';
import { writtenFields } from '@plumb/schemas/project/validate-schema.ts';
import { equal } from '../plan/plan.ts';
import type { Cached } from '../runtime/cache.ts';
import { isReady } from '../runtime/conditions.ts';
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';
import type { KindPreview } from './kind-preview.ts';

export interface Declaration {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: unknown; annotations?: unknown };
  spec?: object;
  /** What else a write of the object may bear. */
  [field: string]: unknown;
}

export interface HypothesisRules {
  level: InnerRules['level'];
  /** Who applies, and whether it takes what others own. Absent: what is declared is the whole of each object. */
  by?: { manager: string; force: boolean };
  /** Objects that are stored and that no controller keeps, by key: projects. */
  stored: ReadonlyMap<string, PlumbObject>;
}

/** Where the object is kept. */
export function keyOfDeclared(kind: KindDefinition, { name, namespace }: { name: string; namespace?: string }): string {
  return keys.object(kind.plural, kind.scope === 'Namespaced' ? (namespace ?? 'default') : undefined, name);
}

/** What is there at the key. */
export function storedAt(context: Context, key: string, { stored }: HypothesisRules): PlumbObject | undefined {
  return context.read.get(key)?.object ?? stored.get(key);
}

export function hypothetical(
  context: Context,
  kind: KindDefinition,
  { metadata, ...others }: Declaration,
  rules: HypothesisRules,
): Judged & { cached: Cached; said: Said } {
  const key = keyOfDeclared(kind, metadata);
  const namespace = kind.scope === 'Namespaced' ? (metadata.namespace ?? 'default') : undefined;
  const before = storedAt(context, key, rules);
  const apiVersion = apiVersionOf(kind);
  const { namespace: _, ...unplaced } = metadata;
  const declared = copyOf({
    apiVersion,
    ...others,
    metadata: { ...unplaced, ...(namespace === undefined ? {} : { namespace }) },
  }) as Declaration & { apiVersion: string };
  const applied = before && rules.by && appliedTo(kind, before, declared, rules.by, context.ambient.clock.now());
  const sent = applyDefaults(kind, applied ? applied.declared : declared) as Pick<
    PlumbObject,
    'apiVersion' | 'spec'
  > & { metadata: object };
  const { errors, dropped } = judgeInner(kind, sent, { limits: context.limits, level: rules.level, before });
  const made = before ? edited(context, kind, before, sent) : asIfReady(context, kind, sent);
  const object = applied ? withExactly(made, applied.declared.metadata) : withMetadata(made, metadata);
  if (before && !isBuiltin(kind)) errors.push(...immutableErrors(kind, before, object));
  const revision = context.read.get(key)?.revision ?? 0;
  return { cached: { key, kind, object, revision }, errors, dropped, said: applied?.said ?? {} };
}

/** What is to be said of an object beside what becomes of it. */
export interface Said {
  problem?: { reason: string; message: string; terminal: boolean };
  contested?: Contested[];
  note?: string;
}

/** A field that other managers own. */
export interface Contested extends OwnedField {
  outcome: 'Taken' | 'Refused' | 'Stays';
}

/**
 * The object as it is declared once a manager has applied the declaration over it: with what others own, and without what it gave up.
 * Undefined when the declaration does not fit its schema: then that is what is to be said.
 */
function appliedTo(
  kind: KindDefinition,
  before: PlumbObject,
  declaration: object,
  { manager, force }: { manager: string; force: boolean },
  now: number,
): { declared: Declaration & { apiVersion: string }; said: Said } | undefined {
  const place = { type: objectType(kind), apiVersion: apiVersionOf(kind), kind: kind.kind };
  const declared = { ...declaration, kind: kind.kind } as Record<string, unknown>;
  if (mistakesOf(place.type, declared, 1).length > 0) return undefined;
  const writer = { manager, now: timestamp(now) };
  const live = before as unknown as Record<string, unknown>;
  const tried = trackApply(place, live, declared, writer, false);
  const contested = 'conflicts' in tried ? contestedFields(tried.conflicts) : [];
  const tracked = 'conflicts' in tried ? trackApply(place, live, declared, writer, true) : tried;
  if ('conflicts' in tracked) return undefined;
  const staying = stayingFields(before.metadata.managedFields, tracked.entries, manager);
  const after = (tracked.object ?? live) as unknown as PlumbObject;
  const { name, namespace, labels, annotations } = after.metadata;
  const notes = [
    ...(force && contested.length > 0 ? [`takes ${ownedText(contested)}`] : []),
    ...(staying.length > 0 ? [`is declared no more, and stays: ${ownedText(staying)}`] : []),
  ];
  const refused = `others own what is declared otherwise here: ${ownedText(contested)}; --force-conflicts takes it`;
  return {
    declared: copyOf({
      apiVersion: after.apiVersion,
      kind: after.kind,
      ...writtenOf(kind, after),
      metadata: {
        name,
        ...(namespace ? { namespace } : {}),
        ...(labels ? { labels } : {}),
        ...(annotations ? { annotations } : {}),
      },
    }) as Declaration & { apiVersion: string },
    said: {
      ...(!force && contested.length > 0 ? { problem: { reason: 'Conflict', message: refused, terminal: true } } : {}),
      ...(notes.length > 0 ? { note: notes.join('; ') } : {}),
      ...(contested.length + staying.length > 0
        ? {
            contested: [
              ...contested.map((one) => ({ ...one, outcome: force ? ('Taken' as const) : ('Refused' as const) })),
              ...staying.map((one) => ({ ...one, outcome: 'Stays' as const })),
            ],
          }
        : {}),
    },
  };
}

/** With these labels and annotations and no others. */
function withExactly(object: PlumbObject, { labels, annotations }: Declaration['metadata']): PlumbObject {
  const { labels: _l, annotations: _a, ...metadata } = object.metadata;
  const own = { ...(labels ? { labels } : {}), ...(annotations ? { annotations } : {}) } as Partial<
    PlumbObject['metadata']
  >;
  return { ...object, metadata: { ...metadata, ...own } };
}

/** With the labels and annotations that were judged with it, beside those of others: hosts are chosen by their labels. */
function withMetadata(object: PlumbObject, declared: Declaration['metadata']): PlumbObject {
  const metadata = { ...object.metadata };
  for (const field of ['labels', 'annotations'] as const) {
    const more = declared[field] as Record<string, string> | undefined;
    if (more) metadata[field] = { ...metadata[field], ...more };
  }
  return { ...object, metadata };
}

/** As it will look to those who refer to it: what was Ready and need not be made on hosts will be Ready again. */
function edited(
  context: Context,
  kind: KindDefinition,
  before: PlumbObject,
  sent: Pick<PlumbObject, 'spec'>,
): PlumbObject {
  if (isBuiltin(kind)) return { ...withoutWritten(kind, before), ...writtenOf(kind, sent) } as unknown as PlumbObject;
  const { spec } = sent;
  if (equal(before.spec, spec)) return { ...before, spec };
  const generation = before.metadata.generation + 1;
  const again = isReady(before) && !previewOf(context, kind)?.isPlaced;
  const status = again ? { ...before.status, observedGeneration: generation } : before.status;
  return { ...before, metadata: { ...before.metadata, generation }, spec, ...(status ? { status } : {}) };
}

/** An object that is not there yet, as it will look to those who refer to it. */
function asIfReady(
  context: Context,
  kind: KindDefinition,
  sent: Pick<PlumbObject, 'apiVersion' | 'spec'> & { metadata: object },
): PlumbObject {
  const now = timestamp(context.ambient.clock.now());
  const { name, namespace } = sent.metadata as { name: string; namespace?: string };
  const ready = { type: 'Ready', status: 'True' as const, reason: 'Planned', message: '', lastTransitionTime: now };
  const object = {
    apiVersion: sent.apiVersion,
    kind: kind.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: context.ambient.ids.uid(),
      resourceVersion: '0',
      ...(isBuiltin(kind) ? {} : { generation: 1 }),
      creationTimestamp: now,
    },
    ...writtenOf(kind, sent),
    ...(isBuiltin(kind) || previewOf(context, kind)?.isPlaced
      ? {}
      : { status: { observedGeneration: 1, conditions: [ready] } }),
  };
  return object as unknown as PlumbObject;
}

/** What of an object people write beside its metadata. */
function writtenOf(kind: KindDefinition, object: object): Record<string, unknown> {
  const written = new Set(writtenFields(kind));
  return Object.fromEntries(Object.entries(object).filter(([field]) => written.has(field)));
}

function withoutWritten(kind: KindDefinition, object: PlumbObject): Record<string, unknown> {
  const written = new Set(writtenFields(kind));
  return Object.fromEntries(Object.entries(object).filter(([field]) => !written.has(field)));
}

/** How a kind says what applying its objects would do. */
export function previewOf(context: Context, kind: KindDefinition): KindPreview | undefined {
  return context.kinds.find((module) => module.kind.kind === kind.kind)?.preview;
}
