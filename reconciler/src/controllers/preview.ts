/**
 * What applying would do to what runs, by the same pure plan as the real run: nothing is reserved, nothing is written.
 * Objects that are declared together see each other, as if those that others wait for were Ready.
 */
import {
  API_GROUP_VERSION,
  type Disruption,
  type FieldError,
  type Instance,
  type KindDefinition,
  kindByName,
  PlumbError,
  type PlumbObject,
  terminal,
} from '@plumb/schemas';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { type InnerRules, type Judged, judgeInner } from '@plumb/schemas/project/validate-inner.ts';
import { Mistakes } from '@plumb/schemas/project/validate-mistakes.ts';
import { equal } from '../plan/plan.ts';
import { stepWords } from '../plan/step-words.ts';
import type { Cached } from '../runtime/cache.ts';
import { ImaginedReader } from '../runtime/reader.ts';
import { keys } from '../store/keys.ts';
import type { Context } from './controller.ts';
import { planInstance } from './instance/planning.ts';
import { resolveInstance } from './instance/references.ts';
import { restartWords } from './instance/standing.ts';

export interface Declaration {
  kind: string;
  metadata: { name: string; namespace?: string };
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
 * One preview for each declaration, in order; after them the instances that are not declared here and that an edited
 * offering changes or would have restarted. Throws terminal `Invalid` with every violation of every object.
 */
export function preview(context: Context, declarations: readonly Declaration[], asked?: Asked): Preview[] {
  const { level = 'Strict', warn = () => {} } = asked ?? {};
  const overlay = new Map<string, Cached>();
  const mistakes = new Mistakes();
  const wanted = declarations.map((declaration, i) => {
    const kind = kindByName(declaration.kind);
    if (!kind) throw terminal('BadRequest', `there is no kind ${shown(declaration.kind)}`);
    const inside = ({ field, message }: FieldError) => ({ field: `objects[${i}].${field}`, message });
    const { cached, errors, dropped } = hypothetical(context, kind, declaration, level);
    mistakes.take(errors.map(inside));
    if (level === 'Warn') warn(dropped.map(inside).map(({ field, message }) => `${field} ${message}`));
    overlay.set(cached.key, cached);
    return cached;
  });
  const errors = mistakes.list();
  if (errors.length > 0) throw terminal('Invalid', errors.map((e) => `${e.field} ${e.message}`).join('; '), errors);
  const imagined: Context = { ...context, read: new ImaginedReader(context.read, overlay) };
  const previews = wanted.map((cached) => previewOne(context, imagined, cached));
  const affected = wanted.flatMap((cached, i) => previewUsers(context, imagined, overlay, cached, previews[i]!));
  return [...previews, ...affected];
}

/** What an edited offering does to the instances that have it. Says in the offering's own preview when they are many. */
function previewUsers(
  context: Context,
  imagined: Context,
  overlay: ReadonlyMap<string, Cached>,
  { key, kind }: Cached,
  own: Preview,
): Preview[] {
  if (kind.kind !== 'InstanceOffering' || own.action !== 'update') return [];
  // Planning all of many would keep the server from its work.
  const most = context.limits.plannedInstances;
  const users = [...context.read.referrers(key)].filter((user) => !overlay.has(user.key));
  if (users.length > most)
    own.note = `${users.length} instances have this offering, and the first ${most} of them were looked at`;
  return users
    .slice(0, most)
    .map((user) => previewOne(context, imagined, user))
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
    structuredClone({
      apiVersion: API_GROUP_VERSION,
      ...others,
      metadata: { ...unplaced, ...(namespace === undefined ? {} : { namespace }) },
    }),
  ) as Pick<PlumbObject, 'spec'> & { metadata: object };
  const { errors, dropped } = judgeInner(kind, sent, { limits: context.limits, level });
  const object = before ? edited(before.object, sent.spec) : asIfReady(context, kind, sent);
  if (before) errors.push(...immutableErrors(kind, before.object, object));
  return { cached: { key, kind, object, revision: before?.revision ?? 0 }, errors, dropped };
}

function edited(before: PlumbObject, spec: Record<string, unknown>): PlumbObject {
  const changed = !equal(before.spec, spec);
  const metadata = { ...before.metadata, generation: before.metadata.generation + (changed ? 1 : 0) };
  return { ...before, metadata, spec };
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
  const gateway = (sent.spec.ipv4 as { gateway?: string } | undefined)?.gateway;
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
    ...(kind.kind === 'Instance'
      ? {}
      : { status: { observedGeneration: 1, conditions: [ready], ...(gateway ? { dhcpAddress: gateway } : {}) } }),
  };
}

function previewOne(context: Context, imagined: Context, cached: Cached): Preview {
  const { metadata, kind } = cached.object;
  const before = context.read.get(cached.key);
  const base = {
    kind,
    ...(metadata.namespace ? { namespace: metadata.namespace } : {}),
    name: metadata.name,
    action: !before
      ? ('create' as const)
      : equal(before.object.spec, cached.object.spec)
        ? ('none' as const)
        : ('update' as const),
    steps: [],
  };
  if (kind !== 'Instance') return base;
  try {
    const instance = cached as Cached<Instance>;
    const resolved = resolveInstance(imagined, instance, instance.object.status?.host === undefined);
    const { steps, target } = planInstance(imagined, instance, resolved, context.index);
    const note = restartWords(target, resolved.references.offering);
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
    const { reason, message, retry } = PlumbError.from(thrown, cached.key);
    return { ...base, problem: { reason, message, terminal: retry === 'terminal' } };
  }
}
