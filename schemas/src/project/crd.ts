/**
 * A kind as a CustomResourceDefinition of apiextensions.k8s.io/v1. The API shows them, so that programs that look there learn
 * Plumb's kinds; a Kubernetes API server that is given them serves the same kinds, which is how the two are compared.
 */
import type { KindDefinition } from '../kinds/define.ts';
import { API_GROUP, API_VERSION } from '../meta/object.ts';
import { NAME_PATTERN } from '../meta/schema.ts';
import { structural } from './structural.ts';
import { FIXED } from './validate-immutable.ts';
import { type SchemaNode, schemaNode } from './validate-schema.ts';

export interface CustomResourceDefinition {
  apiVersion: 'apiextensions.k8s.io/v1';
  kind: 'CustomResourceDefinition';
  metadata: { name: string };
  spec: Record<string, unknown>;
}

/** What every kind has in discovery. */
const CATEGORIES = ['plumb'];

/** Without what a server adds: uid, versions, status. */
export function customResourceDefinition(kind: KindDefinition): CustomResourceDefinition {
  return {
    apiVersion: 'apiextensions.k8s.io/v1',
    kind: 'CustomResourceDefinition',
    metadata: { name: `${kind.plural}.${API_GROUP}` },
    spec: {
      group: API_GROUP,
      names: crdNames(kind),
      scope: kind.scope,
      versions: [
        {
          name: API_VERSION,
          served: true,
          storage: true,
          schema: { openAPIV3Schema: objectSchema(kind) },
          subresources: { status: {} },
          additionalPrinterColumns: printerColumns(kind),
        },
      ],
      conversion: { strategy: 'None' },
    },
  };
}

/** As they stand in spec and, accepted, in status. */
export function crdNames({ plural, singular, kind, shortNames }: KindDefinition) {
  return { plural, singular, kind, listKind: `${kind}List`, shortNames: [...shortNames], categories: CATEGORIES };
}

function objectSchema(kind: KindDefinition): SchemaNode {
  const fixed = kind.immutable.map(unchanged);
  const spec = structural(schemaNode(kind.spec));
  return {
    type: 'object',
    description: kind.description,
    ...(spec.required?.length ? { required: ['spec'] } : {}),
    properties: {
      apiVersion: { type: 'string' },
      kind: { type: 'string' },
      metadata: { type: 'object', properties: { name: { type: 'string', pattern: NAME_PATTERN } } },
      spec: { ...spec, ...(fixed.length > 0 ? { 'x-kubernetes-validations': fixed } : {}) },
      status: structural(schemaNode(kind.status)),
    },
  };
}

/** A field that is fixed at creation, as a rule in CEL: it is there as before, with the value of before. */
function unchanged(path: string) {
  const steps = path.split('.');
  const has = (of: string) => steps.map((_, i) => `has(${of}.${steps.slice(0, i + 1).join('.')})`).join(' && ');
  return {
    rule: `(${has('self')}) == (${has('oldSelf')}) && (!(${has('self')}) || self.${path} == oldSelf.${path})`,
    message: FIXED,
    fieldPath: `.${path}`,
  };
}

/** NAME is always first there; AGE stands where it stands in the tables of Plumb. */
function printerColumns(kind: KindDefinition) {
  const column = ({ name, path, type, description, priority }: KindDefinition['columns'][number]) => ({
    ...{ name, type, description, jsonPath: jsonPath(path) },
    ...(priority ? { priority } : {}),
  });
  const age = {
    name: 'Age',
    path: 'metadata.creationTimestamp',
    type: 'date',
    description: 'Time since the object was created.',
  } as const;
  const narrow = kind.columns.filter(({ priority }) => !priority);
  const wide = kind.columns.filter(({ priority }) => priority);
  return [...narrow, age, ...wide].map(column);
}

/** `status.conditions[Ready].status` is `.status.conditions[?(@.type=="Ready")].status` there. */
function jsonPath(path: string): string {
  const steps = path.split('.').map((step) => {
    const [, name, key] = /^([^[\]]+)(?:\[([^[\]]+)\])?$/.exec(step) ?? [];
    if (key === undefined || key === '*') return step;
    return `${name}[?(@.${name === 'conditions' ? 'type' : 'name'}=="${key}")]`;
  });
  return `.${steps.join('.')}`;
}
