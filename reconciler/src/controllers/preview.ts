/**
 * What applying would do to what runs, by the same pure plan as the real run: nothing stays reserved, nothing is written.
 * Objects that are declared together see each other, as if those that others wait for were Ready.
 */
import {
  API_GROUP_VERSION,
  type Disruption,
  type FieldError,
  type KindDefinition,
  kindByName,
  PlumbError,
  type PlumbObject,
  terminal,
} from '@plumb/schemas';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { copyOf } from '@plumb/schemas/project/json-copy.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { type InnerRules, type Judged, judgeInner } from '@plumb/schemas/project/validate-inner.ts';
import { Mistakes } from '@plumb/schemas/project/validate-mistakes.ts';
import { equal } from '../plan/plan.ts';
import { stepWords } from '../plan/step-words.ts';
import type { Cached } from '../runtime/cache.ts';
import { isReady } from '../runtime/conditions.ts';
import { ImaginedReader } from '../runtime/reader.ts';
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';
import type { Hypothesis, KindPreview } from './kind-preview.ts';
import type { OwnState } from './own-state.ts';

export interface Declaration {
  kind: string;
  metadata: { name: string; namespace?: string; labels?: unknown };
  spec: object;
  /** What else a write of the object may bear. */
  [field: string]: unknown;
}

/** How what is declared is taken. */
export interface Asked {
  level: InnerRules['level'];
  warn(sentences: readonly string[]): void;
}

export interface Preview {
  kind: string;
  namespace?: string;
  name: string;
  action: 'create' | 'update' | 'none';
  /** What would be done on hosts, in order. */
  steps: { id: string; host: string; disruption: Disruption; why: string }[];
  /** Why it could not be done, or what it would wait for. */
  problem?: { reason: string; message: string; terminal: boolean };
  /** What else is worth knowing, as a sentence. */
  note?: string;
}

/**
 * One preview for each declaration, in order; after them the objects that are not declared here and that an edited one, their
 * offering, changes or would have restarted. Each is planned as if those before it had got what they ask for, what others refer to
 * first. Throws terminal `Invalid` with every violation of every object.
 */
export function preview(context: Context, declarations: readonly Declaration[], asked?: Asked): Preview[] {
  const { level = 'Strict', warn = () => {} } = asked ?? {};
  const imagined = new Imagined(context);
  const mistakes = new Mistakes();
  const wanted = declarations.map((declaration, i) => {
    const kind = kindByName(declaration.kind);
    if (!kind) throw terminal('BadRequest', `there is no kind ${shown(declaration.kind)}`);
    const inside = ({ field, message }: FieldError) => ({ field: `objects[${i}].${field}`, message });
    const { cached, errors, dropped } = hypothetical(context, kind, declaration, level);
    mistakes.take(errors.map(inside));
    if (level === 'Warn') warn(dropped.map(inside).map(({ field, message }) => `${field} ${message}`));
    imagined.objects.set(cached.key, cached);
    return cached;
  });
  const errors = mistakes.list();
  if (errors.length > 0) throw terminal('Invalid', errors.map((e) => `${e.field} ${e.message}`).join('; '), errors);
  // Nothing else runs meanwhile, and nothing of it is written.
  const takeBack = context.index.savepoint();
  try {
    const previews = new Map<Cached, Preview>();
    for (const { kind } of context.kinds)
      for (const cached of wanted)
        if (cached.kind.kind === kind.kind) previews.set(cached, previewOne(imagined, cached));
    const own = wanted.map((cached) => previews.get(cached)!);
    return [...own, ...wanted.flatMap((cached, i) => previewUsers(imagined, cached, own[i]!))];
  } finally {
    takeBack();
    imagined.end();
  }
}

/** The control plane as if objects had been applied: what kinds plan with. */
class Imagined implements Hypothesis {
  readonly real: Context;
  readonly context: Context;
  readonly objects = new Map<string, Cached>();
  readonly placed = new Map<string, string>();
  readonly #states = new Map<OwnState<unknown>, { stop?(): void }>();

  constructor(real: Context) {
    this.real = real;
    const own: Context['own'] = (state) => this.#own(state);
    this.context = { ...real, read: new ImaginedReader(real.read, this.objects), own };
  }

  end(): void {
    for (const state of this.#states.values()) state.stop?.();
  }

  #own<T>(state: OwnState<T>): T {
    const known = this.#states.get(state as OwnState<unknown>);
    if (known !== undefined) return known as T;
    const real = this.real.own(state);
    const made = state.imagine?.(real, this.context, this);
    if (made === undefined) return real;
    this.#states.set(state as OwnState<unknown>, made);
    return made;
  }
}

/** What an edited object does to those that have it. Says in its own preview when they are many. */
function previewUsers(imagined: Imagined, { key, kind }: Cached, own: Preview): Preview[] {
  if (own.action !== 'update') return [];
  const changes = (user: Cached) => previewOf(imagined.real, user.kind)?.changedBy?.includes(kind.kind) === true;
  const users = [...imagined.real.read.referrers(key)].filter(
    (user) => changes(user) && !imagined.objects.has(user.key),
  );
  // Planning all of many would keep the server from its work.
  const most = imagined.real.limits.plannedInstances;
  if (users.length > most)
    own.note = `${users.length} instances have this offering, and the first ${most} of them were looked at`;
  return users
    .slice(0, most)
    .map((user) => previewOne(imagined, user))
    .filter(({ steps, problem, note }) => steps.length > 0 || problem || note);
}

function hypothetical(
  context: Context,
  kind: KindDefinition,
  { metadata, ...others }: Declaration,
  level: InnerRules['level'],
): Judged & { cached: Cached } {
  const namespace = kind.scope === 'Namespaced' ? (metadata.namespace ?? 'default') : undefined;
  const key = keys.object(kind.plural, namespace, metadata.name);
  const before = context.read.get(key);
  const { namespace: _, ...unplaced } = metadata;
  const sent = applyDefaults(
    kind,
    copyOf({
      apiVersion: API_GROUP_VERSION,
      ...others,
      metadata: { ...unplaced, ...(namespace === undefined ? {} : { namespace }) },
    }),
  ) as Pick<PlumbObject, 'spec'> & { metadata: object };
  const { errors, dropped } = judgeInner(kind, sent, { limits: context.limits, level });
  const object = withLabels(
    before ? edited(context, kind, before.object, sent.spec) : asIfReady(context, kind, sent),
    metadata,
  );
  if (before) errors.push(...immutableErrors(kind, before.object, object));
  return { cached: { key, kind, object, revision: before?.revision ?? 0 }, errors, dropped };
}

/** With the labels that were judged with it: hosts are chosen by theirs. */
function withLabels(object: PlumbObject, { labels }: Declaration['metadata']): PlumbObject {
  if (labels === undefined) return object;
  return { ...object, metadata: { ...object.metadata, labels: labels as Record<string, string> } };
}

/** As it will look to those who refer to it: what was Ready and need not be made on hosts will be Ready again. */
function edited(
  context: Context,
  kind: KindDefinition,
  before: PlumbObject,
  spec: Record<string, unknown>,
): PlumbObject {
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
  sent: Pick<PlumbObject, 'spec'> & { metadata: object },
): PlumbObject {
  const now = new Date(context.ambient.clock.now()).toISOString();
  const { name, namespace } = sent.metadata as { name: string; namespace?: string };
  const ready = { type: 'Ready', status: 'True' as const, reason: 'Planned', message: '', lastTransitionTime: now };
  return {
    apiVersion: API_GROUP_VERSION,
    kind: kind.kind,
    metadata: {
      name,
      ...(namespace === undefined ? {} : { namespace }),
      uid: context.ambient.ids.uid(),
      resourceVersion: '0',
      generation: 1,
      creationTimestamp: now,
    },
    spec: sent.spec,
    ...(previewOf(context, kind)?.isPlaced ? {} : { status: { observedGeneration: 1, conditions: [ready] } }),
  };
}

function previewOf(context: Context, kind: KindDefinition): KindPreview | undefined {
  return context.kinds.find((module) => module.kind.kind === kind.kind)?.preview;
}

function previewOne(imagined: Imagined, cached: Cached): Preview {
  const { key, object } = cached;
  const { metadata, kind } = object;
  const before = imagined.real.read.get(key);
  const base = {
    kind,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    name: metadata.name,
    action: !before
      ? ('create' as const)
      : equal(before.object.spec, object.spec)
        ? ('none' as const)
        : ('update' as const),
    steps: [],
  };
  const how = previewOf(imagined.real, cached.kind);
  if (how === undefined) return base;
  try {
    const { steps, note, status } = how.plan(imagined.context, cached, imagined);
    if (status) imagined.objects.set(key, { ...cached, object: { ...object, status } });
    return {
      ...base,
      // Its id may hold the uid of an object that is not there yet.
      steps: steps.map((step) => {
        const { host, disruption, why } = step;
        return { id: stepWords(step), host, disruption, why };
      }),
      ...(note === undefined ? {} : { note }),
    };
  } catch (thrown) {
    const { reason, message, retry } = PlumbError.from(thrown, key);
    // Who refers to it is told the same as when it is applied.
    if (!before && !how.isPlaced) imagined.objects.set(key, { ...cached, object: notReady(object, reason, message) });
    return { ...base, problem: { reason, message, terminal: retry === 'terminal' } };
  }
}

function notReady(object: PlumbObject, reason: string, message: string): PlumbObject {
  const conditions = object.status!.conditions!.map((is) => ({ ...is, status: 'False' as const, reason, message }));
  return { ...object, status: { ...object.status, conditions } };
}
