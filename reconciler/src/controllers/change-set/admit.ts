/** What a change set declares, as objects to be stored: defaulted and validated like any other, all errors at once. */
import {
  API_GROUP_VERSION,
  type ChangeSet,
  type FieldError,
  type KindDefinition,
  kindByName,
  objectName,
  type PlumbObject,
  terminal,
} from '@plumb/schemas';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { validateObject } from '@plumb/schemas/project/validate.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { keys } from '../../store/keys.ts';

export interface Declared {
  key: string;
  kind: KindDefinition;
  /** As a client would send it, with defaults. */
  object: Pick<PlumbObject, 'apiVersion' | 'kind' | 'spec'> & { metadata: DeclaredMetadata };
}

interface DeclaredMetadata {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** Throws terminal `Invalid` with every violation of every object. `existing`: the stored object of a key. */
export function admitAll(changeSet: ChangeSet, existing: (key: string) => PlumbObject | undefined): Declared[] {
  const errors: FieldError[] = [];
  const declared: Declared[] = [];
  const seen = new Set<string>();
  changeSet.spec.objects.forEach((item, index) => {
    const at = `spec.objects[${index}]`;
    const kind = kindByName(item.kind);
    if (!kind || kind.kind === changeSet.kind) {
      errors.push({ field: `${at}.kind`, message: `${item.kind} cannot be part of a change set` });
      return;
    }
    const one = declare(kind, item, changeSet.metadata.namespace);
    if (seen.has(one.key))
      errors.push({ field: at, message: `declares ${item.kind} ${item.metadata.name} a second time` });
    seen.add(one.key);
    const before = existing(one.key);
    for (const { field, message } of [
      ...validateObject(kind, one.object, { strictUnknown: true }),
      ...(before ? immutableErrors(kind, before, { ...before, spec: one.object.spec }) : []),
    ])
      errors.push({ field: `${at}.${field}`, message: `${message} (${item.kind} ${objectName(one.object.metadata)})` });
    declared.push(one);
  });
  if (errors.length > 0) {
    const words = errors.map((e) => `${e.field} ${e.message}`).join('; ');
    throw terminal('Invalid', words, errors);
  }
  return declared;
}

function declare(
  kind: KindDefinition,
  item: ChangeSet['spec']['objects'][number],
  project: string | undefined,
): Declared {
  const { name, namespace, labels, annotations } = item.metadata;
  const placed = kind.scope === 'Namespaced' ? (namespace ?? project) : undefined;
  const metadata: DeclaredMetadata = {
    name,
    ...(placed === undefined ? {} : { namespace: placed }),
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
  };
  const spec = structuredClone(item.spec) as Record<string, unknown>;
  const object = applyDefaults(kind, { apiVersion: API_GROUP_VERSION, kind: kind.kind, metadata, spec });
  return { key: keys.object(kind.plural, placed, name), kind, object };
}
