/**
 * What applying would do to what runs, by the same pure plan as the real run: nothing stays reserved, nothing is written.
 * Objects that are declared together see each other, as if those that others wait for were Ready.
 */
import {
  type FieldError,
  type KindDefinition,
  kindByName,
  PlumbError,
  type PlumbObject,
  terminal,
} from '@plumb/schemas';
import { type FieldChange, fieldChanges } from '@plumb/schemas/project/field-changes.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import type { InnerRules } from '@plumb/schemas/project/validate-inner.ts';
import { Mistakes } from '@plumb/schemas/project/validate-mistakes.ts';
import type { Cached } from '../runtime/cache.ts';
import { ImaginedReader } from '../runtime/reader.ts';
import type { Context } from './controller.ts';
import type { Hypothesis, Placement } from './kind-preview.ts';
import type { OwnState } from './own-state.ts';
import { alreadyGone, previewDeletion } from './preview-deletion.ts';
import {
  type Contested,
  type Declaration,
  type HypothesisRules,
  hypothetical,
  previewOf,
  type Said,
  storedAt,
} from './preview-objects.ts';
import { type StepView, stepView } from './preview-steps.ts';

export type { Declaration } from './preview-objects.ts';

/** An object that goes. */
export interface Deletion {
  kind: string;
  key: string;
}

/** How what is declared is taken. */
export interface Asked {
  level?: InnerRules['level'];
  warn?(sentences: readonly string[]): void;
  /** Objects that would be deleted beside that. */
  deletions?: readonly Deletion[];
  /** Objects that are stored and that no controller keeps, by key: projects. */
  stored?: ReadonlyMap<string, PlumbObject>;
  /** Who applies; absent: what is declared is the whole of each object. */
  by?: HypothesisRules['by'];
}

export interface Preview {
  kind: string;
  namespace?: string;
  name: string;
  action: 'create' | 'update' | 'replace' | 'delete' | 'none';
  /** What is there now. */
  before?: { uid: string; generation: number };
  /** Fields that change. */
  changes: FieldChange[];
  /** What would be done on hosts, in order. */
  steps: StepView[];
  /** Where it runs or would run, and with which addresses. */
  placement?: Placement;
  /** Why it could not be done, or what it would wait for. */
  problem?: { reason: string; message: string; terminal: boolean; field?: string };
  /** Fields that other managers own. */
  contested?: readonly Contested[];
  /** It gets what is declared only when it is started again. */
  restart?: true;
  /** What else is worth knowing, as a sentence. */
  note?: string;
}

export interface Previews {
  /** One for each declaration, then one for each deletion, in order. */
  own: Preview[];
  /** Objects that are not declared, and that an edited one, their offering, changes or would have restarted. */
  affected: Preview[];
}

/** As {@link previewAll}, in one list. */
export function preview(context: Context, declarations: readonly Declaration[], asked?: Asked): Preview[] {
  const { own, affected } = previewAll(context, declarations, asked);
  return [...own, ...affected];
}

/**
 * Each object is planned as if those before it had got what they ask for, what others refer to first, and as if what is to be
 * deleted had gone. Throws terminal `Invalid` with every violation of every object.
 */
export function previewAll(context: Context, declarations: readonly Declaration[], asked: Asked = {}): Previews {
  const { level = 'Strict', warn = () => {}, stored = new Map(), deletions = [], by } = asked;
  const rules: HypothesisRules = { level, stored, ...(by ? { by } : {}) };
  const imagined = new Imagined(context);
  const mistakes = new Mistakes();
  const wanted = declarations.map((declaration, i) => {
    const kind = kindOf(declaration);
    const inside = ({ field, message }: FieldError) => ({ field: `spec.objects[${i}].${field}`, message });
    const { cached, errors, dropped, said } = hypothetical(context, kind, declaration, rules);
    imagined.said.set(cached.key, said);
    if (imagined.objects.has(cached.key)) errors.push({ field: 'metadata.name', message: 'is declared twice' });
    mistakes.take(errors.map(inside));
    if (level === 'Warn') warn(dropped.map(inside).map(({ field, message }) => `${field} ${message}`));
    imagined.objects.set(cached.key, cached);
    return cached;
  });
  for (const [i, { key }] of deletions.entries()) {
    if (imagined.objects.has(key))
      mistakes.take([{ field: `spec.deletions[${i}]`, message: 'is declared among the objects, too' }]);
    imagined.gone.add(key);
  }
  const errors = mistakes.list();
  if (errors.length > 0) throw terminal('Invalid', errors.map((e) => `${e.field} ${e.message}`).join('; '), errors);
  // Nothing else runs meanwhile, and nothing of it is written.
  const takeBack = context.index.savepoint();
  try {
    const going = deletions.map(({ kind, key }) => {
      const cached = context.read.get(key);
      return cached ? previewDeletion(context, imagined.context, cached) : alreadyGone(kind, key);
    });
    const previews = new Map<Cached, Preview>();
    const one = (cached: Cached) => void previews.set(cached, previewOne(imagined, cached, rules));
    for (const { kind } of context.kinds) for (const cached of wanted) if (cached.kind.kind === kind.kind) one(cached);
    for (const cached of wanted) if (!previews.has(cached)) one(cached);
    const own = wanted.map((cached) => previews.get(cached)!);
    const affected = wanted.flatMap((cached, i) => previewUsers(imagined, cached, own[i]!, rules));
    return { own: [...own, ...going], affected };
  } finally {
    takeBack();
    imagined.end();
  }
}

function kindOf({ kind }: Declaration): KindDefinition {
  const known = kindByName(kind);
  if (!known) throw terminal('BadRequest', `there is no kind ${shown(kind)}`);
  return known;
}

/** The control plane as if objects had been applied: what kinds plan with. */
class Imagined implements Hypothesis {
  readonly real: Context;
  readonly context: Context;
  readonly objects = new Map<string, Cached>();
  readonly gone = new Set<string>();
  readonly placed = new Map<string, string>();
  /** What is known of declared objects before they are planned. */
  readonly said = new Map<string, Said>();
  readonly #states = new Map<OwnState<unknown>, { stop?(): void }>();

  constructor(real: Context) {
    this.real = real;
    const own: Context['own'] = (state) => this.#own(state);
    this.context = { ...real, read: new ImaginedReader(real.read, this.objects, this.gone), own };
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
function previewUsers(imagined: Imagined, { key, kind }: Cached, own: Preview, rules: HypothesisRules): Preview[] {
  if (own.action !== 'update') return [];
  const changes = (user: Cached) => previewOf(imagined.real, user.kind)?.changedBy?.includes(kind.kind) === true;
  const users = [...imagined.real.read.referrers(key)].filter(
    (user) => changes(user) && !imagined.objects.has(user.key) && !imagined.gone.has(user.key),
  );
  // Planning all of many would keep the server from its work.
  const most = imagined.real.limits.plannedInstances;
  if (users.length > most)
    own.note = `${users.length} instances have this offering, and the first ${most} of them were looked at`;
  return users
    .slice(0, most)
    .map((user) => previewOne(imagined, user, rules))
    .filter(({ steps, problem, note }) => steps.length > 0 || problem || note);
}

function previewOne(imagined: Imagined, cached: Cached, rules: HypothesisRules): Preview {
  const { key, object, kind } = cached;
  const { metadata } = object;
  const before = storedAt(imagined.real, key, rules);
  const changes = before === object ? [] : fieldChanges(kind, before, object);
  const base: Preview = {
    kind: object.kind,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    name: metadata.name,
    action: !before ? 'create' : changes.length > 0 ? 'update' : 'none',
    ...(before ? { before: pick(before.metadata) } : {}),
    changes,
    steps: [],
    ...imagined.said.get(key),
  };
  const how = previewOf(imagined.real, kind);
  if (how === undefined) return base;
  try {
    const { steps, note, status, placement, restart } = how.plan(imagined.context, cached, imagined);
    if (status) imagined.objects.set(key, { ...cached, object: { ...object, status } });
    const replaced = base.action === 'update' && steps.some(({ disruption }) => REPLACES.has(disruption));
    return {
      ...base,
      ...(replaced ? { action: 'replace' as const } : {}),
      steps: steps.map(stepView),
      ...(placement === undefined ? {} : { placement }),
      ...(restart ? { restart } : {}),
      ...(note === undefined ? {} : { note: base.note === undefined ? note : `${base.note}; ${note}` }),
    };
  } catch (thrown) {
    const { reason, message, retry, fields } = PlumbError.from(thrown, key);
    const field = fields[0]?.field;
    // Who refers to it is told the same as when it is applied.
    if (!before && !how.isPlaced) imagined.objects.set(key, { ...cached, object: notReady(object, reason, message) });
    return {
      ...base,
      problem: { reason, message, terminal: retry === 'terminal', ...(field === undefined ? {} : { field }) },
    };
  }
}

function pick({ uid, generation }: PlumbObject['metadata']): { uid: string; generation: number } {
  // Objects of built-in kinds have no generation.
  return { uid, generation: generation ?? 0 };
}

/** What such a step leaves is not what was there. */
const REPLACES: ReadonlySet<string> = new Set(['replace', 'dataLoss']);

function notReady(object: PlumbObject, reason: string, message: string): PlumbObject {
  const conditions = object.status!.conditions!.map((is) => ({ ...is, status: 'False' as const, reason, message }));
  return { ...object, status: { ...object.status, conditions } };
}
