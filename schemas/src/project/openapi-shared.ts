/** Definitions that every group document carries: metav1 types under the names that clients know them by. */
import { labels, objectMeta } from '../meta/schema.ts';
import { type SchemaNode, schemaNode } from './validate-schema.ts';

const META = 'io.k8s.apimachinery.pkg.apis.meta.v1';

export const OBJECT_META = `${META}.ObjectMeta`;
export const LIST_META = `${META}.ListMeta`;
export const STATUS = `${META}.Status`;
export const DELETE_OPTIONS = `${META}.DeleteOptions`;
export const PATCH = `${META}.Patch`;

/** A reference to a definition of the same document. */
export function ref(name: string): { $ref: string } {
  return { $ref: `#/components/schemas/${name}` };
}

const text = (description: string) => ({ type: 'string', description }) as const;

/** metav1 definitions by dotted name. Nothing is required: clients send partial metadata. */
export function sharedDefinitions(): Record<string, SchemaNode> {
  return {
    [OBJECT_META]: schemaNode({
      type: 'object',
      description: 'What every object has: its name, labels and what the server keeps about it.',
      properties: {
        ...objectMeta.properties,
        labels,
        generateName: text('Prefix of the name that the server makes, if no name is given.'),
      },
    }),
    [LIST_META]: schemaNode({
      type: 'object',
      description: 'What every list has.',
      properties: {
        resourceVersion: text('The revision that was read; watch from here.'),
        continue: text('Token for the next page; absent on the last.'),
      },
    }),
    [STATUS]: {
      type: 'object',
      description: 'What became of a request that does not return an object.',
      properties: {
        status: text('Success or Failure.'),
        message: text('A sentence for people.'),
        reason: text('One UpperCamelCase word for programs.'),
        code: { type: 'integer', description: 'HTTP status code.' },
        details: { type: 'object', description: 'The object and the fields that are meant.' },
      },
      'x-kubernetes-group-version-kind': [{ group: '', kind: 'Status', version: 'v1' }],
    },
    [DELETE_OPTIONS]: schemaNode({
      type: 'object',
      description: 'How to delete.',
      properties: {
        propagationPolicy: text('Accepted; what refers to the object decides when it goes.'),
        preconditions: {
          type: 'object',
          description: 'Delete only if these hold.',
          properties: { uid: text('uid of the object.'), resourceVersion: text('Its resourceVersion.') },
        },
        dryRun: { type: 'array', items: { type: 'string' }, description: 'All: change nothing.' },
      },
    }),
    [PATCH]: schemaNode({ type: 'object', description: 'A patch.' }),
  };
}
