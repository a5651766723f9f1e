/** Resources of the domain to resources of the wire and back. What comes from outside is checked here, once. */
import type { PlumbError } from '../meta/error.ts';
import { terminal } from '../meta/error.ts';
import { secretsIn } from '../project/scrub.ts';
import { type Check, compileSchema } from '../project/validate-compile.ts';
import { Mistakes } from '../project/validate-mistakes.ts';
import type { SchemaNode } from '../project/validate-schema.ts';
import type {
  DomainFacts,
  HostResource,
  LiveResource,
  OpaqueResource,
  ResourceType,
} from '../resources/host-resources.ts';
import { resourceTypes } from '../resources/host-resources.ts';
import { isTypeName } from '../resources/registry.ts';
import type { WireDomainFacts, WireLiveResource, WireResource } from './messages.ts';

export function resourceToWire(resource: HostResource): WireResource {
  return { kind: resource.kind, id: resource.id, owner: resource.owner, spec: JSON.stringify(resource.spec) };
}

/** Which resource is meant; what is in it, user data among it, is nobody's business then. */
export function identityToWire({ kind, id, owner }: OpaqueResource): WireResource {
  return { kind, id, owner, spec: '{}' };
}

/** Which resource is meant: all that removing needs. Throws PlumbError `UnsupportedResource` (terminal). */
export function resourceIdentityFromWire(wire: WireResource | null): Pick<HostResource, 'kind' | 'id' | 'owner'> {
  if (wire === null) throw unsupported('it is empty');
  const { kind, id, owner } = wire;
  if (!resourceTypes.has(kind)) throw unsupported(`kind ${JSON.stringify(kind)} is not known here`);
  if (!ID.test(id)) throw unsupported(`the id ${JSON.stringify(id)} of a ${kind} is not one`);
  if (!ID.test(owner)) throw unsupported(`the owner ${JSON.stringify(owner)} of ${kind}/${id} is not a uid`);
  return { kind: kind as ResourceType, id, owner };
}

/** What lives as a resource of a type that is not known here; undefined where the type is known, or where this is no resource. */
export function opaqueFromWire(wire: WireResource | null): OpaqueResource | undefined {
  if (wire === null || resourceTypes.has(wire.kind)) return undefined;
  const { kind, id, owner } = wire;
  return isTypeName(kind) && ID.test(id) && ID.test(owner) ? { kind, id, owner } : undefined;
}

/** Throws PlumbError `UnsupportedResource` (terminal) when the kind is not known here or the spec is not of its shape. */
export function resourceFromWire(wire: WireResource | null): HostResource {
  const { kind, id, owner } = resourceIdentityFromWire(wire);
  let spec: unknown;
  try {
    spec = JSON.parse(wire!.spec);
  } catch {
    // The parser's own message repeats the text around the mistake, which may hold user data.
    throw unsupported(`the spec of ${kind}/${id} is not JSON`);
  }
  const mistakes = new Mistakes();
  validator(kind)(spec, mistakes);
  if (mistakes.count > 0) throw unsupported(`the spec of ${kind}/${id} ${violations(mistakes)}`);
  return { kind, id, owner, spec } as HostResource;
}

/**
 * A resource as an agent wrote it down, of this version or another: what it says beyond its shape counts for nothing. Undefined when
 * it cannot be one.
 */
export function storedResource(
  kind: ResourceType,
  id: string,
  { owner, spec }: Partial<HostResource>,
): HostResource | undefined {
  if (!ID.test(id) || typeof owner !== 'string' || !ID.test(owner)) return undefined;
  const mistakes = new Mistakes(false);
  validator(kind)(spec, mistakes);
  return mistakes.count > 0 ? undefined : ({ kind, id, owner, spec } as HostResource);
}

const NOTHING_TO_SAY = { maxCpus: 0, oldSeed: false, atRisk: '', edited: '', paused: '' };

export function liveResourceToWire(live: LiveResource): WireLiveResource {
  return {
    resource: resourceToWire(live),
    drift: live.drift,
    domain: live.domain ? { ...NOTHING_TO_SAY, ...live.domain } : null,
  };
}

/** Throws as {@link resourceFromWire}. */
export function liveResourceFromWire(wire: WireLiveResource): LiveResource {
  const resource = { ...resourceFromWire(wire.resource), drift: wire.drift };
  if (resource.kind !== 'domain' || !wire.domain) return resource;
  return { ...resource, domain: domainFacts(wire.domain) };
}

/** Ids become parts of file and interface names on hosts: no separators, nothing that begins with a dot or a dash. */
const ID = /^[A-Za-z0-9][A-Za-z0-9._-]{0,199}$/;

const reasons = new Set<string>([
  ...(['booted', 'shutdown', 'crashed', 'panicked', 'destroyed', 'saved', 'unknown'] satisfies DomainFacts['reason'][]),
]);

/** What a newer agent may say beyond this is `unknown`. */
function domainFacts(wire: WireDomainFacts): DomainFacts {
  const { state, reason, maxCpus, oldSeed, atRisk, edited, paused } = wire;
  return {
    state: state === 'running' ? 'running' : 'off',
    reason: (reasons.has(reason) ? reason : 'unknown') as DomainFacts['reason'],
    ...(maxCpus > 0 ? { maxCpus } : {}),
    ...(oldSeed ? { oldSeed } : {}),
    ...(atRisk ? { atRisk } : {}),
    ...(edited ? { edited } : {}),
    ...(paused ? { paused } : {}),
  };
}

/** What of the resource must not be said in a sentence; cf. scrub.ts. */
export function secretsOf({ kind, spec }: { kind: string; spec?: unknown }): string[] {
  const definition = resourceTypes.find(kind);
  if (definition === undefined) return [];
  return secretsIn(definition.spec as unknown as SchemaNode, spec);
}

/** As {@link secretsOf}, of what came over the wire, whatever it is. */
export function secretsOfWire(wire: WireResource | null): string[] {
  if (wire === null) return [];
  try {
    return secretsOf({ kind: wire.kind, spec: JSON.parse(wire.spec) });
  } catch {
    return [wire.spec];
  }
}

const validators = new Map<ResourceType, Check>();

/** Its sentences name fields and rules, never values: a spec may hold user data. */
function validator(kind: ResourceType): Check {
  return validators.getOrInsertComputed(kind, () =>
    compileSchema(resourceTypes.definition(kind).spec as unknown as SchemaNode, { secret: true }),
  );
}

function violations(mistakes: Mistakes): string {
  return mistakes
    .list()
    .map(({ field, message }) => `${field} ${message}`.trim())
    .join('; ');
}

function unsupported(why: string): PlumbError {
  return terminal(
    'UnsupportedResource',
    `the resource cannot be understood: ${why}. Bring the agent and the server to the same version`,
  );
}
