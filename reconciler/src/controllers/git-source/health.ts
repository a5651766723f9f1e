/** How the objects of a commit are. */
import { isBuiltin } from '@plumb/schemas';
import { findCondition, isReady, isStalled } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';
import type { Declared } from './declared.ts';

export interface Health {
  ready: number;
  /** What cannot become Ready by itself. */
  stalled: string[];
  waiting: string[];
  missing: string[];
}

export function healthOf(context: Context, declared: readonly Pick<Declared, 'key' | 'id' | 'kind'>[]): Health {
  const health: Health = { ready: 0, stalled: [], waiting: [], missing: [] };
  for (const { key, id, kind } of declared) {
    if (isBuiltin(kind)) {
      // Nothing of it lives anywhere: it is there, or the next look finds that it is not.
      health.ready++;
      continue;
    }
    const object = context.read.get(key)?.object;
    const said = object && findCondition(object, 'Ready')?.message;
    if (!object) health.missing.push(id);
    else if (isReady(object)) health.ready++;
    else (isStalled(object) ? health.stalled : health.waiting).push(`${id} (${said ?? 'not looked at yet'})`);
  }
  return health;
}
