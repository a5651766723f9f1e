/** `plumb get hosts --pending`: agents that are connected and wait until their host is declared. */
import { terminal } from '@plumb/schemas/meta/error.ts';
import type { Session } from './command.ts';
import { resourceByAlias } from './resources.ts';
import type { Surroundings } from './surroundings.ts';
import { renderTable } from './table.ts';

const PATH = '/apis/plumb.dev/v1/pendinghosts';

interface PendingHost {
  metadata: { name: string };
  fingerprint?: string;
  status: { driver: string; agentVersion: string; cpus: number; memoryMiB: number; streamAddress?: string };
}

export async function pendingHosts(
  session: Session,
  surroundings: Surroundings,
  positionals: readonly string[],
): Promise<number> {
  const [kind, ...more] = positionals;
  if (kind === undefined || more.length > 0 || resourceByAlias(kind).kind !== 'Host') {
    throw terminal('BadArgument', '--pending is for hosts: plumb get hosts --pending');
  }
  const { items } = (await session.client.send('GET', PATH)) as { items: PendingHost[] };
  if (items.length === 0) {
    surroundings.err('no agent waits for its host to be declared\n');
    return 0;
  }
  const rows = items.map(({ metadata, fingerprint, status }) => [
    metadata.name,
    status.driver,
    status.cpus,
    status.memoryMiB,
    status.streamAddress || '<none>',
    fingerprint ?? '<none>',
    status.agentVersion,
  ]);
  surroundings.out(renderTable(['Name', 'Driver', 'CPUs', 'Memory MiB', 'Comes from', 'Fingerprint', 'Agent'], rows));
  return 0;
}
