/** `plumb get poisoned`: objects and records of the store that cannot be understood, and where they are wrong. */
import { terminal } from '@plumb/schemas/meta/error.ts';
import type { Session } from './command.ts';
import type { Surroundings } from './surroundings.ts';
import { renderTable } from './table.ts';

const PATH = '/apis/plumb.dev/v1/poisoned';

interface Poisoned {
  metadata: { name: string };
  object?: { kind: string; namespace?: string; name: string };
  where: string;
  what: string;
}

export async function poisoned(
  session: Session,
  surroundings: Surroundings,
  positionals: readonly string[],
): Promise<number> {
  if (positionals.length > 1) throw terminal('BadArgument', 'poisoned are listed all together: plumb get poisoned');
  const { items, metadata } = (await session.client.send('GET', PATH)) as {
    items: Poisoned[];
    metadata: { objects: number; records: number };
  };
  if (items.length === 0) {
    surroundings.err('everything in the store can be understood\n');
    return 0;
  }
  const rows = items.map(({ object, metadata, where, what }) => [
    object?.kind ?? 'record',
    object ? [object.namespace, object.name].filter(Boolean).join('/') : metadata.name,
    object ? where : '<none>',
    what,
  ]);
  surroundings.out(renderTable(['Kind', 'Name', 'Where', 'What'], rows));
  const all = metadata.objects + metadata.records;
  if (all > items.length) surroundings.err(`${items.length} of them; there are ${all}\n`);
  return 0;
}
