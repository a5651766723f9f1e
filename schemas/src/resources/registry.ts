/** Types of host resources by name, and what follows from their definitions together: the order of making them. */
import { terminal } from '../meta/error.ts';
import type { ResourceDefinition } from './define.ts';

/** Identity of a resource on its host. */
export interface ResourceRef {
  kind: string;
  id: string;
}

const NAME = /^[a-z][a-z0-9-]{0,62}$/;

/** Whether a type can be called so. */
export function isTypeName(text: string): boolean {
  return NAME.test(text);
}

/** What is kept in memory names a type by one printable character of ASCII, from this one on. */
const FIRST_LETTER = 0x30;
const MOST_TYPES = 0x7f - FIRST_LETTER;

/**
 * Throws PlumbError `InvalidResourceType` (terminal) for types that cannot be told apart or put in order: names that are none, a circle,
 * a type that requires one that nobody defines, or one shared by many that requires what belongs to one object.
 */
export class ResourceRegistry {
  /** In the order in which they are made; they are removed in reverse. What is shared comes first. */
  readonly types: readonly string[];
  readonly #definitions: ReadonlyMap<string, ResourceDefinition>;
  readonly #order: ReadonlyMap<string, number>;
  readonly #letters: ReadonlyMap<string, string>;
  readonly #firstOwned: number;

  constructor(definitions: Readonly<Record<string, ResourceDefinition>>) {
    this.#definitions = new Map(Object.entries(definitions));
    check(this.#definitions);
    this.types = inOrder(this.#definitions);
    this.#order = new Map(this.types.map((type, index) => [type, index]));
    this.#letters = new Map(this.types.map((type, index) => [type, String.fromCharCode(FIRST_LETTER + index)]));
    this.#firstOwned = this.types.filter((type) => this.isShared(type)).length;
  }

  has(type: string): boolean {
    return this.#definitions.has(type);
  }

  /** Undefined when nothing here handles the type. */
  find(type: string): ResourceDefinition | undefined {
    return this.#definitions.get(type);
  }

  /** Of a type that is known to be here. */
  definition(type: string): ResourceDefinition {
    const definition = this.#definitions.get(type);
    if (definition === undefined) throw invalid(`${type} is not the name of one`);
    return definition;
  }

  /** Position in the order of making; after all others, when nothing here handles the type. */
  order(type: string): number {
    return this.#order.get(type) ?? this.types.length;
  }

  isShared(type: string): boolean {
    return this.#definitions.get(type)?.sharing === 'shared';
  }

  holdsData(type: string): boolean {
    return this.#definitions.get(type)?.holdsData === true;
  }

  /** What must be on the host before the resource can be made, and may not go before it. */
  requirements({ kind, spec }: { kind: string; spec: unknown }): ResourceRef[] {
    const refs: ResourceRef[] = [];
    for (const [type, ids] of Object.entries(this.#definitions.get(kind)?.requires ?? {}))
      for (const id of ids(spec)) refs.push({ kind: type, id });
    return refs;
  }

  /** Whether the resource requires this one. */
  standsOn({ kind, spec }: { kind: string; spec: unknown }, type: string, id: string): boolean {
    return this.#definitions.get(kind)?.requires?.[type]?.(spec).includes(id) ?? false;
  }

  /** Its letter in lines that are kept in memory. Letters sort as types are made; they are never stored or sent. */
  letter(type: string): string {
    return this.#letters.get(type)!;
  }

  /** The type with this letter. */
  ofLetter(letter: string): string {
    return this.types[letter.charCodeAt(0) - FIRST_LETTER]!;
  }

  /** Whether what has this letter is shared. */
  isSharedLetter(letter: string): boolean {
    return letter.charCodeAt(0) - FIRST_LETTER < this.#firstOwned;
  }
}

/** All of them; throws PlumbError `InvalidResourceType` (terminal) when two have one name. */
export function together(
  ...parts: readonly Readonly<Record<string, ResourceDefinition>>[]
): Record<string, ResourceDefinition> {
  const all: Record<string, ResourceDefinition> = {};
  for (const part of parts)
    for (const [type, definition] of Object.entries(part)) {
      if (Object.hasOwn(all, type)) throw invalid(`${type} is defined twice`);
      all[type] = definition;
    }
  return all;
}

function check(definitions: ReadonlyMap<string, ResourceDefinition>): void {
  if (definitions.size > MOST_TYPES)
    throw invalid(`there are ${definitions.size} of them, and ${MOST_TYPES} are possible`);
  for (const [type, { sharing, requires = {}, before = [] }] of definitions) {
    if (!isTypeName(type))
      throw invalid(`${JSON.stringify(type)} is no name: use lower case letters, digits and dashes`);
    for (const needed of Object.keys(requires)) {
      const definition = definitions.get(needed);
      if (definition === undefined) throw invalid(`${type} requires ${JSON.stringify(needed)}, which nothing defines`);
      if (sharing === 'shared' && definition.sharing === 'owned')
        throw invalid(`${type} is shared by many objects, and requires a ${needed}, which belongs to one`);
    }
    for (const other of before) {
      const definition = definitions.get(other);
      if (definition === undefined)
        throw invalid(`${type} comes before ${JSON.stringify(other)}, which nothing defines`);
      if (definition.sharing === 'shared')
        throw invalid(`${type} comes before a ${other}, which is shared by many objects and made first`);
    }
  }
}

/**
 * What is required comes before what requires it, and what says so before others. Among those that could come next: what is shared, what holds data, what requires less,
 * and then by name, the last of the alphabet first: nothing follows from that, but plans stay as they were.
 */
function inOrder(definitions: ReadonlyMap<string, ResourceDefinition>): string[] {
  const requirements = (type: string) => [
    ...Object.keys(definitions.get(type)!.requires ?? {}),
    ...[...definitions].flatMap(([other, { before = [] }]) => (before.includes(type) ? [other] : [])),
  ];
  const depths = new Map<string, number>();
  for (let left = [...definitions.keys()]; left.length > 0; ) {
    const next = left.filter((type) => requirements(type).every((needed) => depths.has(needed)));
    if (next.length === 0) throw invalid(`${left.sort().join(', ')} require each other in a circle`);
    for (const type of next)
      depths.set(type, Math.max(0, ...requirements(type).map((needed) => depths.get(needed)! + 1)));
    left = left.filter((type) => !depths.has(type));
  }
  const made: string[] = [];
  const rank = (type: string) => {
    const { sharing, holdsData } = definitions.get(type)!;
    return [sharing === 'shared' ? 0 : 1, holdsData ? 0 : 1, depths.get(type)!] as const;
  };
  while (made.length < definitions.size) {
    const ready = [...definitions.keys()].filter(
      (type) => !made.includes(type) && requirements(type).every((needed) => made.includes(needed)),
    );
    ready.sort((a, b) => {
      const [ranked, other] = [rank(a), rank(b)];
      for (const [index, value] of ranked.entries()) if (value !== other[index]) return value - other[index]!;
      return a < b ? 1 : -1;
    });
    made.push(ready[0]!);
  }
  return made;
}

function invalid(why: string) {
  return terminal('InvalidResourceType', `The types of host resources cannot be used: ${why}`);
}
