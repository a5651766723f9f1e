/**
 * A step of an instance's plan for its reader, who knows whose plan it is: `make disk root`, `make subnet default/lab`,
 * where the step's id says uids.
 */
import type { Thing } from '@plumb/schemas';

export function stepWords({ id, thing }: { id: string; thing: Thing }): string {
  return [id.slice(0, id.indexOf(' ')), thing.kind, partName(thing)].filter((word) => word !== '').join(' ');
}

/** The name of a thing among those of its kind that an instance needs; empty where there is one of them only. */
export function partName({ kind, id, owner, spec }: Thing): string {
  switch (kind) {
    case 'bridge':
    case 'subnet':
      return spec.name;
    case 'image':
      return id.slice(0, 12);
    case 'disk':
    case 'port':
      return id.slice(owner.length + 1);
    default:
      return '';
  }
}
