/** Which resources are served with which verbs. Discovery, routing and OpenAPI all read this. */
import { type KindDefinition, namespace } from '@plumb/schemas';
import { openApiKind } from '@plumb/schemas/project/openapi.ts';
import type { OpenApiKind } from '@plumb/schemas/project/openapi-group.ts';
import { hasStatus } from '@plumb/schemas/project/validate-schema.ts';
import type { Store } from '../store/store.ts';
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
export function serveCore(context: ApiContext, store: Store, events: Store): Served[] {
  const namespaces = namespaceResource(store);
  const written = writable(context, namespaces);
  // Many projects are not deleted at once, here as there.
  const { deletecollection: _, ...single } = written.verbs;
  return [
    { ...written, verbs: { ...single, delete: (call) => deleteNamespace(context, namespaces, call) } },
    writable(context, eventResource(events)),
    writable(context, eventsV1Resource(events)),
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
