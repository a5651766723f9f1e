import type { Host } from '@plumb/schemas/kinds/index.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { resourceTypes } from '@plumb/schemas/resources/host-resources.ts';
import { type Command, parseCommand, withSession } from '../command.ts';
import { renderTable } from '../table.ts';

const HOSTS = '/apis/plumb.dev/v1/hosts';
const REMOVALS = '/apis/plumb.dev/v1/orphanremovals';

export const orphans: Command = {
  usage: `plumb orphans list [HOST]
plumb orphans remove HOST TYPE/ID [--allow-data-loss]

Orphans are resources on hosts (disks, domains, ports …) that belong to no object in the store, or whose type this server
does not know. Plumb never removes them by itself, so an empty or restored store destroys nothing.

list:   orphans of one host, or of all hosts.
remove: the agent of the host removes the orphan. A resource that holds data, or may hold data, needs --allow-data-loss.
        A resource that others on the host use cannot be removed before them: a disk goes after its domain.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, { 'allow-data-loss': { type: 'boolean', default: false } });
    const [verb, host, resource, ...more] = positionals;
    if (verb === 'list' && resource === undefined)
      return withSession(values, surroundings, async ({ client }) => {
        const found: Host[] =
          host === undefined
            ? (await client.send('GET', HOSTS)).items
            : [await client.send('GET', `${HOSTS}/${encodeURIComponent(host)}`)];
        surroundings.out(tableOf(found));
        return 0;
      });
    const slash = resource?.indexOf('/') ?? -1;
    if (verb !== 'remove' || host === undefined || resource === undefined || slash <= 0 || more.length > 0)
      throw terminal(
        'BadArgument',
        'plumb orphans list [HOST], or remove HOST TYPE/ID; plumb orphans --help says more',
      );
    return withSession(values, surroundings, async ({ client }) => {
      const [kind, id] = [resource.slice(0, slash), resource.slice(slash + 1)];
      const body = { host, kind, id, allowDataLoss: values['allow-data-loss'] };
      await client.send('POST', REMOVALS, { body });
      surroundings.out(`${resource} is removed from host ${host}\n`);
      return 0;
    });
  },
};

/** Pure. Hosts with more than their status names say so in their condition. */
export function tableOf(hosts: readonly Host[]): string {
  const rows = hosts.flatMap(({ metadata, status }) =>
    (status?.orphans ?? []).map(({ kind, id, owner }) => [
      metadata.name,
      `${kind}/${id}`,
      owner,
      resourceTypes.has(kind) ? 'no such object' : 'unknown type',
    ]),
  );
  const notes = hosts.flatMap(({ metadata, status }) => {
    const condition = status?.conditions?.find(({ type }) => type === 'Orphans');
    return condition ? [`host ${metadata.name}: ${condition.message}\n`] : [];
  });
  if (rows.length === 0) return 'no host has orphans\n';
  return `${renderTable(['Host', 'Resource', 'Made for', 'Why'], rows)}${notes.join('')}`;
}
