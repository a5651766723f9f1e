/** Things of the domain to things of the wire and back. What comes from outside is checked here, once. */
import type { PlumbError } from '../meta/error.ts';
import { terminal } from '../meta/error.ts';
import { type Check, compileSchema } from '../project/validate-compile.ts';
import { Mistakes } from '../project/validate-mistakes.ts';
import type { SchemaNode } from '../project/validate-schema.ts';
import type { WireDomainFacts, WireLiveThing, WireThing } from './messages.ts';
import type { DomainFacts, LiveThing, Thing, ThingKind } from './things.ts';
import { thingSchemas } from './things.ts';

export function thingToWire(thing: Thing): WireThing {
  return { kind: thing.kind, id: thing.id, owner: thing.owner, spec: JSON.stringify(thing.spec) };
}

/** Which thing is meant: all that removing needs. Throws PlumbError `UnsupportedThing` (terminal). */
export function thingIdentityFromWire(wire: WireThing | null): Pick<Thing, 'kind' | 'id' | 'owner'> {
  if (wire === null) throw unsupported('it is empty');
  const { kind, id, owner } = wire;
  if (!Object.hasOwn(thingSchemas, kind)) throw unsupported(`kind ${JSON.stringify(kind)} is not known here`);
  if (!ID.test(id)) throw unsupported(`the id ${JSON.stringify(id)} of a ${kind} is not one`);
  if (!ID.test(owner)) throw unsupported(`the owner ${JSON.stringify(owner)} of ${kind}/${id} is not a uid`);
  return { kind: kind as ThingKind, id, owner };
}

/** Throws PlumbError `UnsupportedThing` (terminal) when the kind is not known here or the spec is not of its shape. */
export function thingFromWire(wire: WireThing | null): Thing {
  const { kind, id, owner } = thingIdentityFromWire(wire);
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
  return { kind, id, owner, spec } as Thing;
}

const NOTHING_TO_SAY = { maxCpus: 0, oldSeed: false, atRisk: '', edited: '', paused: '' };

export function liveThingToWire(live: LiveThing): WireLiveThing {
  return {
    thing: thingToWire(live),
    drift: live.drift,
    domain: live.domain ? { ...NOTHING_TO_SAY, ...live.domain } : null,
  };
}

/** Throws as {@link thingFromWire}. */
export function liveThingFromWire(wire: WireLiveThing): LiveThing {
  const thing = { ...thingFromWire(wire.thing), drift: wire.drift };
  if (thing.kind !== 'domain' || !wire.domain) return thing;
  return { ...thing, domain: domainFacts(wire.domain) };
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

const validators = new Map<ThingKind, Check>();

/** Its sentences name fields and rules, never values: a spec may hold user data. */
function validator(kind: ThingKind): Check {
  return validators.getOrInsertComputed(kind, () =>
    compileSchema(thingSchemas[kind] as unknown as SchemaNode, { secret: true }),
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
    'UnsupportedThing',
    `the thing cannot be understood: ${why}. Bring the agent and the server to the same version`,
  );
}
