/** What a type of host resource is, said once: order, dependencies, disruption, reports and wire follow from it. */
import type { JSONSchema } from 'json-schema-to-ts';
import type { Disruption } from '../kinds/define.ts';

/**
 * Written `{ … } as const satisfies ResourceDefinition<FromSchema<typeof spec>>`. `S`: the spec. `O`: what drivers see of it besides drift. For example a disk: `sharing: 'owned'`, `holdsData: true`, and
 * `requires: { image: ({ image }) => [image] }`, because it is a clone of its image.
 */
export interface ResourceDefinition<S = unknown, O = unknown> {
  /** Schema of the spec. What crosses the wire and what is stored are judged by it. */
  readonly spec: JSONSchema;
  /** Schema of what drivers see of it besides drift; absent when there is nothing. */
  readonly observed?: JSONSchema;
  /** owned: it exists for one object and goes with it. shared: for many, and outlives the one that it was made for. */
  readonly sharing: 'owned' | 'shared';
  /** Removing it destroys data. Such a step is a pivot: from it on its plan only goes forward. */
  readonly holdsData?: true;
  /** By type, the ids of what must be on the host before it can be made, and may not go before it. */
  readonly requires?: Readonly<Record<string, IdsIn<S>>>;
  /** Types of its owner's resources that are made after it and removed before it, although they know nothing of it. */
  readonly before?: readonly string[];
  /** What drivers see of it when it was just made and nothing happened since. */
  asMade?(spec: S): O;
  /** Why what lives is not as desired although its spec is, as a sentence; undefined when it is. */
  unsettled?(desired: S, observed: O | undefined): string | undefined;
  /** What it costs that it becomes as desired while it is in use. Absent: `live`. */
  changeCost?(before: S, after: S, now: { observed: O | undefined; drifted: boolean }): Disruption;
  /** Its name among those of its type that one object has, for people; empty where there is one only. */
  part?(resource: { id: string; owner: string; spec: S }): string;
  /** What its owner calls it, with the part: `the interface eth0`. */
  label(part: string): string;
}

/** Declared as a method, so that a definition of one spec is a definition of any. */
type IdsIn<S> = { ids(spec: S): readonly string[] }['ids'];

/** Parts of several schemas. */
export const address = { type: 'string', description: 'IPv4 address.' } as const;
export const mac = { type: 'string', description: 'Ethernet address, lower case.' } as const;
export const bytes = { type: 'integer', minimum: 0 } as const;
