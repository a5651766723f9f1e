/** The objects that another object declares: each with its defaults, judged as a write of its own would be. */
import { isBuiltin, type KindDefinition } from '../kinds/define.ts';
import { kindByName } from '../kinds/index.ts';
import type { FieldError } from '../meta/error.ts';
import { API_GROUP_VERSION, objectName, type PlumbObject } from '../meta/object.ts';
import { fillDefaults } from './defaults.ts';
import { copyOf } from './json-copy.ts';
import { shown } from './shown.ts';
import { type InnerRules, judgeInner } from './validate-inner.ts';
import { Mistakes } from './validate-mistakes.ts';
import { dropUnknownFields } from './validate-unknown.ts';

export interface DeclaredObject {
  kind: KindDefinition;
  /** Undefined for a kind of the whole estate. */
  namespace: string | undefined;
  /** As a client would send it, with defaults. */
  object: Pick<PlumbObject, 'apiVersion' | 'kind' | 'spec'> & { metadata: DeclaredMetadata };
}

export interface DeclaredMetadata {
  name: string;
  namespace?: string;
  labels?: Record<string, string>;
  annotations?: Record<string, string>;
}

/** Objects and projects that one commit holds to what they are, beside what is written of the change itself. */
const MOST_TOGETHER = 120;

/** What the declaring object holds of each: its own schema has been looked at. */
interface Item {
  apiVersion?: string;
  kind: string;
  metadata: DeclaredMetadata;
  spec: object;
}

export interface Declarations {
  declared: DeclaredObject[];
  /** All that is wrong with any of them, as far as it can be told without the others that are stored. */
  mistakes: Mistakes;
  /** What was taken away from them, as `rules.level` says. */
  dropped: FieldError[];
}

/**
 * The objects that `holder` lists in its field `field`. Under a level that is not Strict, fields that are not known are taken away
 * from its spec, in place. `more`: what else is wrong with one of them.
 */
export function declaredObjects(
  { kind: holderKind, metadata, spec }: Pick<PlumbObject, 'kind' | 'spec'> & { metadata: { namespace?: string } },
  field: string,
  rules: InnerRules,
  more: (one: DeclaredObject) => FieldError[] = () => [],
): Declarations {
  const mistakes = new Mistakes();
  const dropped: FieldError[] = [];
  const declared: DeclaredObject[] = [];
  const seen = new Set<string>();
  for (const [index, item] of (spec[field] as Item[]).entries()) {
    const at = `spec.${field}[${index}]`;
    const kind = kindByName(item.kind);
    if (!kind || isBuiltin(kind) || kind.kind === holderKind) {
      mistakes.take([{ field: `${at}.kind`, message: `${shown(item.kind)} cannot be part of a change set` }]);
      continue;
    }
    const inside = ({ field, message }: FieldError) => ({ field: `${at}.${field}`, message });
    if (rules.level !== 'Strict') dropped.push(...dropUnknownFields(kind, item).map(inside));
    const one = declare(kind, item, metadata.namespace);
    const identity = `${kind.kind}/${one.namespace ?? ''}/${one.object.metadata.name}`;
    const whose = `${kind.kind} ${objectName(one.object.metadata)}`;
    if (seen.has(identity)) mistakes.take([{ field: at, message: `declares ${whose} a second time` }]);
    seen.add(identity);
    const { errors } = judgeInner(kind, one.object, { ...rules, level: 'Strict' });
    mistakes.take(
      [...errors, ...more(one)].map(inside).map(({ field, message }) => ({ field, message: `${message} (${whose})` })),
    );
    declared.push(one);
  }
  const projects = new Set(declared.map(({ namespace }) => namespace).filter((name) => name !== undefined)).size;
  if (declared.length + projects > MOST_TOGETHER)
    mistakes.take([
      {
        field: `spec.${field}`,
        message: `has ${declared.length} objects in ${projects} projects: at most ${MOST_TOGETHER} of both together are written as one; make several of it`,
      },
    ]);
  return { declared, mistakes, dropped };
}

function declare(kind: KindDefinition, item: Item, project: string | undefined): DeclaredObject {
  const { name, namespace: named, labels, annotations } = item.metadata;
  const namespace = kind.scope === 'Namespaced' ? (named ?? project) : undefined;
  const metadata: DeclaredMetadata = {
    name,
    ...(namespace === undefined ? {} : { namespace }),
    ...(labels ? { labels } : {}),
    ...(annotations ? { annotations } : {}),
  };
  const spec = copyOf(item.spec) as Record<string, unknown>;
  const { apiVersion = API_GROUP_VERSION } = item;
  // Its nulls went with those of the object that holds it.
  fillDefaults(kind, { spec });
  return { kind, namespace, object: { apiVersion, kind: kind.kind, metadata, spec } };
}
