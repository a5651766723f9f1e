/** `plumb delete record KEY…`: the end of records that no object has and that cannot be read; `plumb get poisoned` lists them. */
import { terminal } from '@plumb/schemas/meta/error.ts';
import type { Session } from './command.ts';
import type { Surroundings } from './surroundings.ts';

const PATH = '/apis/plumb.dev/v1/poisoned';

export async function deleteRecords(
  session: Session,
  surroundings: Surroundings,
  keys: readonly string[],
): Promise<number> {
  if (keys.length === 0)
    throw terminal('BadArgument', 'say which: plumb delete record KEY, as plumb get poisoned lists it');
  for (const key of keys) {
    await session.client.send('DELETE', `${PATH}/${encodeURIComponent(key)}`);
    surroundings.out(`record ${key} is gone\n`);
  }
  return 0;
}
