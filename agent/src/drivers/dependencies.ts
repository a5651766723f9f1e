import type { LiveThing, Thing, ThingKind } from '@plumb/schemas';
import { retryable, thingKey } from '@plumb/schemas';

export interface ThingRef {
  kind: ThingKind;
  id: string;
}

/** The things that must be on the host before this one can be made, and that may not go before it. */
export function dependenciesOf(thing: Thing): ThingRef[] {
  switch (thing.kind) {
    case 'image':
    case 'bridge':
    case 'seed':
      return [];
    case 'subnet':
      return [{ kind: 'bridge', id: thing.spec.bridge }];
    case 'disk':
      return [{ kind: 'image', id: thing.spec.image }];
    case 'port':
      return [
        { kind: 'bridge', id: thing.spec.bridge },
        { kind: 'subnet', id: thing.spec.subnet },
      ];
    case 'domain':
      return [
        ...thing.spec.disks.map((id): ThingRef => ({ kind: 'disk', id })),
        ...(thing.spec.seed === undefined ? [] : [{ kind: 'seed', id: thing.spec.seed } as const]),
        ...thing.spec.ports.map((port): ThingRef => ({ kind: 'port', id: port.id })),
      ];
  }
}

/** Throws `MissingDependency` (retry) unless everything that `thing` refers to is there. */
export function requireDependencies(thing: Thing, isThere: (ref: ThingRef) => boolean): void {
  const missing = dependenciesOf(thing).filter((ref) => !isThere(ref));
  if (missing.length > 0)
    throw retryable(
      'MissingDependency',
      `${thingKey(thing)} needs ${missing.map(thingKey).join(', ')}, which is not on this host: make it first`,
    );
}

/** Whether the thing to be removed is an image that another object has taken over. */
export function isAnothersImage(ref: { kind: ThingKind; owner: string }, live: LiveThing | undefined): boolean {
  return ref.kind === 'image' && live !== undefined && live.owner !== ref.owner;
}

/** Throws `InUse` (retry) when one of `others` refers to the thing. */
export function requireUnused(ref: ThingRef, others: Iterable<LiveThing>): void {
  const users: string[] = [];
  for (const other of others)
    if (dependenciesOf(other).some((needed) => needed.kind === ref.kind && needed.id === ref.id))
      users.push(thingKey(other));
  if (users.length > 0) throw retryable('InUse', `${thingKey(ref)} is used by ${users.join(', ')}: remove that first`);
}
