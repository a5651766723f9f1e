import type { Thing } from '@plumb/schemas';

/**
 * Lets many simulated hosts of one process hold one copy of what they share. Images, bridges and subnets are declared
 * alike on every host that has them: what a pool remembers is bounded by the number of those.
 */
export class SpecPool {
  readonly #specs = new Map<string, { text: string; spec: Thing['spec'] }>();

  /** The thing itself, or one that shares its spec with an equal thing that was seen before. */
  share<T extends Thing>(thing: T): T {
    if (thing.kind !== 'image' && thing.kind !== 'bridge' && thing.kind !== 'subnet') return thing;
    const text = JSON.stringify(thing.spec);
    const key = `${thing.kind}/${thing.id}`;
    const known = this.#specs.get(key);
    if (known?.text === text) return { ...thing, spec: known.spec };
    this.#specs.set(key, { text, spec: thing.spec });
    return thing;
  }
}
