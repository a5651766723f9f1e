/** What a Host's status says of what lives there for no object, or for one that lives elsewhere. */
import { type LiveResource, resourceKey } from '@plumb/schemas';
import type { Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';
import { nameOf } from '../references.ts';
import { conditionsTo, type Status } from '../status.ts';
import type { Unowned } from './orphans.ts';

/** The status with what was found on the host and belongs to nobody, or is of types that are not known here. */
export function orphansStatus(
  context: Context,
  status: Status,
  object: Cached['object'],
  { orphans, opaque }: Unowned,
): Status {
  const { orphans: _before, ...rest } = status as Status & { orphans?: unknown };
  const all = [...orphans, ...opaque].map(({ kind, id, owner }) => ({ kind, id, owner }));
  if (all.length === 0) return conditionsTo(context, rest, object, [], ['Orphans']);
  const found = all.sort((a, b) => (resourceKey(a) < resourceKey(b) ? -1 : 1)).slice(0, context.limits.orphansShown);
  const parts: string[] = [];
  if (orphans.length > 0)
    parts.push(
      `${orphans.length} resources on the host belong to no object that the store knows, e.g. ${orphans[0]!.kind} ${orphans[0]!.id}`,
    );
  if (opaque.length > 0)
    parts.push(
      `${opaque.length} are of types that this server does not know (${[...new Set(opaque.map(({ kind }) => kind))].sort().join(', ')})`,
    );
  const message = `${parts.join('; ')}. Plumb does not touch them: plumb orphans list ${object.metadata.name}`;
  const condition = { type: 'Orphans', status: 'True' as const, reason: 'Found', message };
  return conditionsTo(context, { ...rest, orphans: found } as Status, object, [condition], []);
}

/** Says what stays of instances that live elsewhere, for it may be all that there is of their data. */
export function keptStatus(context: Context, status: Status, object: Cached['object'], kept: LiveResource[]): Status {
  const first = kept.find(({ kind }) => kind === 'disk') ?? kept[0];
  if (first === undefined) return conditionsTo(context, status, object, [], ['Misplaced']);
  const more = kept.length > 1 ? `, and ${kept.length - 1} more` : '';
  const message = `${first.kind} ${first.id} of ${nameOf(context, first.owner)} is here${more}, though its status says that it lives on another host; a disk stays until the instance has its own there and may lose this one (allowDataLoss)`;
  return conditionsTo(context, status, object, [{ type: 'Misplaced', status: 'True', reason: 'Kept', message }], []);
}
