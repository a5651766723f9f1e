/**
 * A live resource as one line of text: equal for equal resources, whoever wrote their specs and in whatever order of keys.
 * Both ends compare by it, and the control plane remembers resources as such lines.
 *
 * `kind/id US owner US spec US drift US domain`, where US is the unit separator, the kind is its position in the order
 * of making, and a spec is a JSON array of its properties in the order of the schema, null where one is absent. No field
 * holds a control character: ids cannot, and JSON escapes them.
 */
import { createHash } from 'node:crypto';
import type { DomainFacts, HostResource, LiveResource, ResourceType } from '../resources/host-resources.ts';
import { resourceTypes } from '../resources/host-resources.ts';

const US = '\x1f';

export function resourceLine(live: LiveResource): string {
  const { drift, domain } = live as LiveResource<'domain'>;
  const drifted = drift.length > 0 ? JSON.stringify(drift) : '';
  const facts = domain ? factsText(domain) : '';
  return `${lineHead(live)}${live.owner}${US}${specText(live)}${US}${drifted}${US}${facts}`;
}

/** How the line of the resource with this kind and id begins; no other's does. */
export function lineHead({ kind, id }: { kind: ResourceType; id: string }): string {
  return `${resourceTypes.letter(kind)}/${id}${US}`;
}

/** The resource of a line that {@link resourceLine} wrote. */
export function resourceFromLine(line: string): LiveResource {
  const [head, owner, spec, drifted, facts] = line.split(US) as [string, string, string, string, string];
  const kind = typeOf(head);
  const resource = {
    kind,
    id: head.slice(2),
    owner,
    spec: unpack(shapes[kind], JSON.parse(spec)),
    drift: drifted === '' ? [] : JSON.parse(drifted),
  } as unknown as LiveResource;
  if (facts === '') return resource;
  return { ...resource, domain: factsFrom(facts) } as LiveResource;
}

/** `state reason maxCpus {"edited":…}`, as far as there is something to say: of nearly all domains nothing but words. */
function factsText({ state, reason, maxCpus, oldSeed, atRisk, edited, paused }: DomainFacts): string {
  const usual = [state, reason, maxCpus].join(' ').trimEnd();
  if (!oldSeed && !atRisk && !edited && !paused) return usual;
  return `${state} ${reason} ${maxCpus ?? ''} ${JSON.stringify({ oldSeed, atRisk, edited, paused })}`;
}

function factsFrom(text: string): DomainFacts {
  const [state, reason, maxCpus, ...rest] = text.split(' ') as [DomainFacts['state'], DomainFacts['reason'], string?];
  return {
    ...{ state, reason },
    ...(maxCpus ? { maxCpus: Number(maxCpus) } : {}),
    ...(rest.length > 0 ? JSON.parse(rest.join(' ')) : {}),
  };
}

/** The kind and the id of a line. */
export function identityOfLine(line: string): { kind: ResourceType; id: string } {
  return { kind: typeOf(line), id: line.slice(2, line.indexOf(US)) };
}

function typeOf(line: string): ResourceType {
  return resourceTypes.ofLetter(line[0]!) as ResourceType;
}

/** Whether the line says that its resource is not as it was made. */
export function lineDrifted(line: string): boolean {
  const facts = line.lastIndexOf(US);
  return line[facts - 1] !== US;
}

/** 128 bits in base64url that are the same for the same resources, in whatever order their lines are given. */
export function liveDigest(lines: Iterable<string>): string {
  const hash = createHash('sha256');
  hash.update(
    [...lines]
      .map((line) => `${typeOf(line)}${line.slice(1)}`)
      .sort()
      .join('\n'),
  );
  return hash.digest('base64url').slice(0, 22);
}

function specText({ kind, spec }: HostResource): string {
  return JSON.stringify(pack(shapes[kind], spec));
}

/** How a value is written: an object by its properties in order, a list by its items, anything else as it is. */
type Shape = { fields: [string, Shape][] } | { items: Shape } | undefined;

interface Schema {
  type?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
}

function shapeOf({ type, properties, items }: Schema): Shape {
  if (type === 'object' && properties)
    return { fields: Object.entries(properties).map(([name, schema]) => [name, shapeOf(schema)]) };
  const shape = type === 'array' && items ? shapeOf(items) : undefined;
  return shape && { items: shape };
}

const shapes = Object.fromEntries(
  resourceTypes.types.map((type) => [type, shapeOf(resourceTypes.definition(type).spec as Schema)]),
) as Record<ResourceType, Shape>;

function pack(shape: Shape, value: unknown): unknown {
  if (shape === undefined || value === undefined) return value;
  if ('items' in shape) return (value as unknown[]).map((item) => pack(shape.items, item));
  return shape.fields.map(([name, of]) => pack(of, (value as Record<string, unknown>)[name]));
}

function unpack(shape: Shape, value: unknown): unknown {
  if (shape === undefined) return value;
  if ('items' in shape) return (value as unknown[]).map((item) => unpack(shape.items, item));
  const object: Record<string, unknown> = {};
  for (const [index, [name, of]] of shape.fields.entries()) {
    const field = (value as unknown[])[index];
    if (field !== null) object[name] = unpack(of, field);
  }
  return object;
}
