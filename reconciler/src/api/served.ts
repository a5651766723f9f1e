/** Which resources are served with which verbs. Discovery, routing and OpenAPI all read this. */
import { type KindDefinition, namespace } from '@plumb/schemas';
import { openApiKind } from '@plumb/schemas/project/openapi.ts';
import type { OpenApiKind } from '@plumb/schemas/project/openapi-group.ts';
import { hasStatus } from '@plumb/schemas/project/validate-schema.ts';
import type { ReadableStore, Store } from '../store/store.ts';
import type { ApiContext, Handler } from './call.ts';
import { eventResource } from './core/event.ts';
import { eventsV1Resource } from './core/events-v1.ts';
import { namespaceResource } from './core/namespace.ts';
import { deleteNamespace } from './core/namespace-delete.ts';
import { type Resource, resourceOfKind, type Verb, type WritableResource } from './resource.ts';
import { create } from './verbs/create.ts';
import { remove } from './verbs/delete.ts';
import { removeAll } from './verbs/delete-collection.ts';
import { get } from './verbs/get.ts';
import { list } from './verbs/list.ts';
import { patch } from './verbs/patch.ts';
import { patchStatus } from './verbs/patch-status.ts';
import { update } from './verbs/update.ts';
import { updateStatus } from './verbs/update-status.ts';
import { watch } from './verbs/watch.ts';

export type Verbs = Partial<Record<Verb, Handler>>;

/** Names of a resource, and what can be done with it. Everything that has a place in discovery is one. */
export interface Served {
  names: Pick<Resource, 'group' | 'version' | 'kind' | 'plural' | 'singular' | 'shortNames' | 'categories' | 'scope'>;
  verbs: Verbs;
  /** Verbs of the status subresource. */
  status?: Verbs;
  /** The others, by name. */
  subresources?: Readonly<Record<string, Subresource>>;
  /** For the OpenAPI document; absent on what is no object. */
  openApi?: OpenApiKind;
}

/** A part of an object with verbs of its own, which take and give objects of another kind. */
export interface Subresource {
  names: Pick<Resource, 'group' | 'version' | 'kind'>;
  verbs: Verbs;
}

/** The declared kinds; namespaces are served by {@link serveCore}. */
export function serveKinds(context: ApiContext, store: Store, kinds: readonly KindDefinition[]): Served[] {
  return kinds.filter((kind) => kind !== namespace).map((kind) => writable(context, resourceOfKind(kind, store)));
}

/** Namespaces and events. */
export function serveCore(context: ApiContext, store: Store, events: ReadableStore): Served[] {
  const namespaces = namespaceResource(store);
  const event = eventResource(events);
  const eventsV1 = eventsV1Resource(events);
  const read = (resource: Resource): Verbs => {
    const { list: all, get: one, watch: changes } = readable(context, resource);
    return { list: all, get: one, watch: changes };
  };
  const written = writable(context, namespaces);
  // Many projects are not deleted at once, here as there.
  const { deletecollection: _, ...single } = written.verbs;
  return [
    { ...written, verbs: { ...single, delete: (call) => deleteNamespace(context, namespaces, call) } },
    {
      names: event,
      verbs: read(event),
      openApi: {
        ...event,
        description: 'What happened to an object.',
        properties: {
          involvedObject: { type: 'object', description: 'The object that it speaks of.' },
          reason: { type: 'string', description: 'One UpperCamelCase word for programs.' },
          message: { type: 'string', description: 'A sentence for people.' },
          type: { type: 'string', description: 'Normal or Warning.' },
          count: { type: 'integer', description: 'How often it happened.' },
          firstTimestamp: { type: 'string', format: 'date-time', description: 'When it first happened.' },
          lastTimestamp: { type: 'string', format: 'date-time', description: 'When it last happened.' },
        },
        verbs: new Set(['list', 'get', 'watch']),
        hasStatus: false,
      },
    },
    {
      names: eventsV1,
      verbs: read(eventsV1),
      openApi: {
        ...eventsV1,
        description: 'What happened to an object, as in core/v1, with fields that are named otherwise.',
        properties: {
          regarding: { type: 'object', description: 'The object that it speaks of.' },
          reason: { type: 'string', description: 'One UpperCamelCase word for programs.' },
          note: { type: 'string', description: 'A sentence for people.' },
          type: { type: 'string', description: 'Normal or Warning.' },
          reportingController: { type: 'string', description: 'Who says it.' },
          deprecatedCount: { type: 'integer', description: 'How often it happened.' },
        },
        verbs: new Set(['list', 'get', 'watch']),
        hasStatus: false,
      },
    },
  ];
}

/** The kinds as CustomResourceDefinitions, to be read. */
export function serveDefinitions(context: ApiContext, definitions: Resource): Served {
  return {
    names: definitions,
    verbs: readable(context, definitions),
    openApi: {
      ...definitions,
      description: 'A kind of this server, as Kubernetes describes kinds.',
      properties: {
        spec: { type: 'object', description: 'Group, names, scope and schema of the kind.' },
        status: { type: 'object', description: 'What of it is served.' },
      },
      verbs: new Set(['list', 'get', 'watch']),
      hasStatus: false,
    },
  };
}

function readable(context: ApiContext, resource: Resource): Verbs {
  return {
    list: (call) => list(context, resource, call),
    get: (call) => get(context, resource, call),
    watch: (call) => watch(context, resource, call),
  };
}

function writable(context: ApiContext, resource: WritableResource): Served {
  const verbs: Verbs = {
    ...readable(context, resource),
    create: (call) => create(context, resource, call),
    update: (call) => update(context, resource, call),
    patch: (call) => patch(context, resource, call),
    delete: (call) => remove(context, resource, call),
    deletecollection: (call) => removeAll(context, resource, call),
  };
  return {
    names: resource,
    verbs,
    ...(hasStatus(resource.definition)
      ? {
          status: {
            get: (call) => get(context, resource, call),
            update: (call) => updateStatus(context, resource, call),
            patch: (call) => patchStatus(context, resource, call),
          },
        }
      : {}),
    openApi: openApiKind(resource.definition, new Set(Object.keys(verbs))),
  };
}
