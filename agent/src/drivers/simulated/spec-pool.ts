import { type HostResource, resourceTypes } from '@plumb/schemas';

/**
 * Lets many simulated hosts of one process hold one copy of what they share. Images, bridges and subnets are declared
 * alike on every host that has them: what a pool remembers is bounded by the number of those.
 */
export class SpecPool {
  readonly #specs = new Map<string, { text: string; spec: HostResource['spec'] }>();

  /** The resource itself, or one that shares its spec with an equal resource that was seen before. */
  share<T extends HostResource>(resource: T): T {
    if (!resourceTypes.isShared(resource.kind)) return resource;
    const text = JSON.stringify(resource.spec);
    const key = `${resource.kind}/${resource.id}`;
    const known = this.#specs.get(key);
    if (known?.text === text) return { ...resource, spec: known.spec };
    this.#specs.set(key, { text, spec: resource.spec });
    return resource;
  }
}
