/**
 * Validation of objects at admission: the schema of the kind, then its rules. All mistakes are found at once; the first hundred
 * are told, the others counted. Linear in the object.
 */
import type { KindDefinition } from '../kinds/define.ts';
import type { FieldError } from '../meta/error.ts';
import { type Check, compileSchema } from './validate-compile.ts';
import { kubernetesWords } from './validate-kubernetes-words.ts';
import { Mistakes } from './validate-mistakes.ts';
import { inputSchema, schemaNode, servedSchema } from './validate-schema.ts';

export interface ValidateOptions {
  /** Whether a field that the schema does not know is an error. */
  strictUnknown: boolean;
  /** What is stored, of a change: what breaks a rule there does so no less after a change of something else, which is let through. */
  before?: object | undefined;
}

const objects = new WeakMap<KindDefinition, Check>();
const served = new WeakMap<KindDefinition, Check>();
const statuses = new WeakMap<KindDefinition, Check>();

/**
 * Checks an object as a client sends it, after defaulting: apiVersion, kind, metadata and spec; not status.
 * Empty when it may be stored. A validator is compiled at the first use of its kind.
 */
export function validateObject(kind: KindDefinition, object: unknown, options: ValidateOptions): FieldError[] {
  const check = objects.getOrInsertComputed(kind, () => compileSchema(inputSchema(kind)));
  const mistakes = new Mistakes(options.strictUnknown);
  check(object, mistakes);
  takeRules(kind, object, options.before, mistakes);
  return mistakes.list();
}

/**
 * As a Kubernetes API server checks a custom resource whose metadata it has read and judged: what the schema says, in its
 * sentences, then the rules of the kind. Unknown fields are no mistake here: what they mean was decided before.
 */
export function validateServed(kind: KindDefinition, object: unknown, before: object | undefined): FieldError[] {
  const check = served.getOrInsertComputed(kind, () => compileSchema(servedSchema(kind)));
  const mistakes = new Mistakes(false, kubernetesWords);
  check(object, mistakes);
  takeRules(kind, object, before, mistakes);
  return mistakes.list();
}

/** Rules read fields, and what they find must be of its type. */
function takeRules(kind: KindDefinition, object: unknown, before: object | undefined, mistakes: Mistakes): void {
  if (kind.rules && mistakes.shapeHolds) {
    const stored = (before as { spec?: unknown } | undefined)?.spec;
    mistakes.take(broken(kind, (object as { spec: unknown }).spec, stored));
  }
  if (kind.validate && mistakes.shapeHolds) mistakes.take(kind.validate(object as never, before as never));
}

function broken({ rules }: KindDefinition, spec: unknown, before: unknown): FieldError[] {
  const errors = rules!(spec as never);
  if (errors.length === 0 || before === undefined) return errors;
  const stood = new Set(rules!(before as never).map(({ field, message }) => `${field} ${message}`));
  return errors.filter(({ field, message }) => !stood.has(`${field} ${message}`));
}

/** Checks `status` as an API server does; fields are named from `status.` on. */
export function validateStatus(kind: KindDefinition, status: unknown, options: ValidateOptions): FieldError[] {
  const check = statuses.getOrInsertComputed(kind, () => compileSchema(schemaNode(kind.status)));
  const mistakes = new Mistakes(options.strictUnknown, kubernetesWords);
  mistakes.within('status');
  check(status, mistakes);
  return mistakes.list();
}
