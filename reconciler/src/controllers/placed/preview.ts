/** What applying a placed object would do: planned and taken as for a flow, tentatively. */
import type { PlumbObject } from '@plumb/schemas';
import type { KindPreview, Placement } from '../kind-preview.ts';
import { settledOn } from './applied.ts';
import { goes } from './delete.ts';
import { allHeld } from './held.ts';
import { type PlacedKind, type PlacedPlan, placedContext, type Resolved } from './placed-kind.ts';
import { planObject } from './planner.ts';
import { removals } from './removals.ts';

interface Also {
  changedBy?: readonly string[];
  /** Why it would have what is declared only after it is started again; undefined when it has all at once. */
  restart?(planned: PlacedPlan, resolved: Resolved): string | undefined;
  /** What it would have on its networks. Absent: nothing. */
  interfaces?(planned: PlacedPlan, object: PlumbObject): Placement['interfaces'];
}

export function placedPreview(placed: PlacedKind, { changedBy, restart, interfaces }: Also = {}): KindPreview {
  const { claims } = placed.holding;
  return {
    isPlaced: true,
    ...(changedBy ? { changedBy } : {}),
    plan(whole, cached, { placed: places }) {
      const context = placedContext(whole, placed);
      const { uid } = cached.object.metadata;
      const resolved = placed.resolve(context, cached, settledOn(cached.object) === undefined);
      const held = allHeld(context, cached.object).map(claims);
      const planned = planObject(context, cached, resolved, context.index);
      const target = claims(planned.target);
      context.index.reserve(uid, target, held);
      context.index.release(uid, held, target);
      places.set(uid, planned.target.host);
      const note = restart?.(planned, resolved);
      return {
        steps: planned.steps,
        placement: { host: planned.target.host, interfaces: interfaces?.(planned, cached.object) ?? [] },
        ...(note === undefined ? {} : { note, restart: true as const }),
      };
    },
    remove(whole, cached) {
      const context = placedContext(whole, placed);
      const { uid } = cached.object.metadata;
      const held = allHeld(context, cached.object);
      context.index.release(uid, held.map(claims), undefined);
      return removals(context, uid, held, goes(cached));
    },
  };
}
