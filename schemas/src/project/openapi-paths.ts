/** The paths and operations of a kind. Clients look here for the kind of a path and the parameters of a verb. */
import type { OpenApiGroup, OpenApiKind } from './openapi-group.ts';
import { DELETE_OPTIONS, PATCH, ref, STATUS } from './openapi-shared.ts';

type Method = 'get' | 'post' | 'put' | 'patch' | 'delete';

interface Verb {
  verb: string;
  method: Method;
  action: string;
  parameters: readonly string[];
}

const collectionVerbs: readonly Verb[] = [
  {
    verb: 'list',
    method: 'get',
    action: 'list',
    parameters: [
      'labelSelector',
      'fieldSelector',
      'limit',
      'continue',
      'resourceVersion',
      'resourceVersionMatch',
      'watch',
      'allowWatchBookmarks',
      'sendInitialEvents',
      'timeoutSeconds',
    ],
  },
  { verb: 'create', method: 'post', action: 'post', parameters: ['dryRun', 'fieldManager', 'fieldValidation'] },
];

const itemVerbs: readonly Verb[] = [
  { verb: 'get', method: 'get', action: 'get', parameters: [] },
  { verb: 'update', method: 'put', action: 'put', parameters: ['dryRun', 'fieldManager', 'fieldValidation'] },
  {
    verb: 'patch',
    method: 'patch',
    action: 'patch',
    parameters: ['dryRun', 'fieldManager', 'fieldValidation', 'force'],
  },
  {
    verb: 'delete',
    method: 'delete',
    action: 'delete',
    parameters: ['dryRun', 'gracePeriodSeconds', 'propagationPolicy'],
  },
];

const statusVerbs = itemVerbs.filter((verb) => verb.verb !== 'delete');

const described: Record<string, { type: 'string' | 'integer' | 'boolean'; description: string }> = {
  labelSelector: { type: 'string', description: 'Only objects with these labels.' },
  fieldSelector: { type: 'string', description: 'Only objects with these fields: metadata.name, metadata.namespace.' },
  limit: { type: 'integer', description: 'At most this many objects in one answer.' },
  continue: { type: 'string', description: 'Token of the page before.' },
  resourceVersion: { type: 'string', description: 'Read, or watch from, this revision.' },
  resourceVersionMatch: { type: 'string', description: 'Exact or NotOlderThan.' },
  watch: { type: 'boolean', description: 'Stream changes instead of a list.' },
  allowWatchBookmarks: { type: 'boolean', description: 'Send a bookmark with the newest revision now and then.' },
  sendInitialEvents: { type: 'boolean', description: 'Begin a watch with what is there, closed by a bookmark.' },
  timeoutSeconds: { type: 'integer', description: 'End the watch after so many seconds.' },
  dryRun: { type: 'string', description: 'All: answer as if, and change nothing.' },
  fieldManager: { type: 'string', description: 'Who writes; accepted and not kept.' },
  fieldValidation: {
    type: 'string',
    description: 'What to do with unknown fields: Strict (the default), Warn or Ignore.',
  },
  force: { type: 'boolean', description: 'Accepted for server-side apply only.' },
  gracePeriodSeconds: { type: 'integer', description: 'Accepted and ignored.' },
  propagationPolicy: { type: 'string', description: 'Accepted; references decide when an object goes.' },
};

/** Every path of the kind with its operations. `definition` names the schema of the object. */
export function operations(group: OpenApiGroup, kind: OpenApiKind, definition: string): Record<string, unknown> {
  const root = group.group === '' ? `/api/${group.version}` : `/apis/${group.group}/${group.version}`;
  const scoped =
    kind.scope === 'Namespaced' ? `${root}/namespaces/{namespace}/${kind.plural}` : `${root}/${kind.plural}`;
  const paths: Record<string, unknown> = {
    [scoped]: path(group, kind, definition, collectionVerbs, kind.scope === 'Namespaced' ? ['namespace'] : []),
    [`${scoped}/{name}`]: path(group, kind, definition, itemVerbs, named(kind)),
  };
  if (kind.hasStatus) paths[`${scoped}/{name}/status`] = path(group, kind, definition, statusVerbs, named(kind));
  if (kind.scope === 'Namespaced') {
    const across = collectionVerbs.filter((verb) => verb.verb === 'list');
    paths[`${root}/${kind.plural}`] = path(group, kind, definition, across, []);
  }
  return paths;
}

function named(kind: OpenApiKind): string[] {
  return kind.scope === 'Namespaced' ? ['namespace', 'name'] : ['name'];
}

function path(group: OpenApiGroup, kind: OpenApiKind, definition: string, verbs: readonly Verb[], inPath: string[]) {
  const methods = verbs.filter((verb) => kind.verbs.has(verb.verb));
  return {
    ...Object.fromEntries(methods.map((verb) => [verb.method, operation(group, kind, definition, verb)])),
    parameters: inPath.map((name) => ({ name, in: 'path', required: true, schema: { type: 'string' } })),
  };
}

function operation(group: OpenApiGroup, kind: OpenApiKind, definition: string, verb: Verb) {
  return {
    tags: [group.group || 'core'],
    description: `${verb.verb} ${kind.plural}`,
    parameters: verb.parameters.map((name) => {
      const { type, description } = described[name]!;
      return { name, in: 'query', description, schema: { type } };
    }),
    ...body(verb, definition),
    responses: {
      [verb.verb === 'create' ? '201' : '200']: {
        description: 'OK',
        content: { 'application/json': { schema: ref(answer(verb, definition)) } },
      },
    },
    'x-kubernetes-action': verb.action,
    'x-kubernetes-group-version-kind': { group: group.group, kind: kind.kind, version: group.version },
  };
}

function answer(verb: Verb, definition: string): string {
  if (verb.verb === 'list') return `${definition}List`;
  return verb.verb === 'delete' ? STATUS : definition;
}

function body(verb: Verb, definition: string) {
  const content = (schema: string, ...types: string[]) => ({
    requestBody: { content: Object.fromEntries(types.map((type) => [type, { schema: ref(schema) }])) },
  });
  if (verb.method === 'post' || verb.method === 'put') return content(definition, 'application/json');
  if (verb.method === 'patch') return content(PATCH, 'application/merge-patch+json', 'application/json-patch+json');
  if (verb.method === 'delete') return content(DELETE_OPTIONS, 'application/json');
  return {};
}
