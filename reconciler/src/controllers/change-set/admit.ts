/** What a change set declares, as objects to be stored: defaulted and validated like any other, all errors at once. */
import {
  API_GROUP_VERSION,
  type ChangeSet,
  type KindDefinition,
  kindByName,
  objectName,
  type PlumbObject,
  terminal,
} from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { applyDefaults } from '@plumb/schemas/project/defaults.ts';
import { shown } from '@plumb/schemas/project/shown.ts';
import { validateObject } from '@plumb/schemas/project/validate.ts';
import { immutableErrors } from '@plumb/schemas/project/validate-immutable.ts';
import { metadataErrors } from '@plumb/schemas/project/validate-metadata.ts';
import { Mistakes } from '@plumb/schemas/project/validate-mistakes.ts';
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

/**
 * Throws terminal `Invalid` with the violations of all objects, as far as they are told. `existing`: the stored object of a key.
 */
export function admitAll(
  changeSet: ChangeSet,
  limits: ServerLimits,
  existing: (key: string) => PlumbObject | undefined,
): Declared[] {
  const mistakes = new Mistakes();
  const declared: Declared[] = [];
  const seen = new Set<string>();
  changeSet.spec.objects.forEach((item, index) => {
    const at = `spec.objects[${index}]`;
    const kind = kindByName(item.kind);
    if (!kind || kind.kind === changeSet.kind) {
      mistakes.take([{ field: `${at}.kind`, message: `${shown(item.kind)} cannot be part of a change set` }]);
      return;
    }
    const one = declare(kind, item, changeSet.metadata.namespace);
    if (seen.has(one.key))
      mistakes.take([{ field: at, message: `declares ${item.kind} ${item.metadata.name} a second time` }]);
    seen.add(one.key);
    const before = existing(one.key);
    const errors = [
      ...validateObject(kind, one.object, { strictUnknown: true }),
      ...metadataErrors(one.object.metadata, limits),
      ...(before ? immutableErrors(kind, before, { ...before, spec: one.object.spec }) : []),
    ];
    const whose = `${item.kind} ${objectName(one.object.metadata)}`;
    mistakes.take(errors.map(({ field, message }) => ({ field: `${at}.${field}`, message: `${message} (${whose})` })));
    declared.push(one);
  });
  const errors = mistakes.list();
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
