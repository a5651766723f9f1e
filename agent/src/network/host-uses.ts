import type { Run } from '../host/command.ts';

/**
 * What the host itself has on an interface: its addresses but for link-local ones, and a default route. Empty when the
 * interface may become a port of a bridge without cutting anyone off.
 */
export async function hostUses(run: Run, interfaceName: string): Promise<string[]> {
  const [shown] = JSON.parse(await run('ip', ['-j', 'addr', 'show', 'dev', interfaceName])) as ShownInterface[];
  const routes = JSON.parse(await run('ip', ['-j', 'route', 'show', 'default', 'dev', interfaceName])) as unknown[];
  const addresses = (shown?.addr_info ?? []).filter(({ scope }) => scope !== 'link').map(({ local }) => local);
  return [...addresses, ...(routes.length > 0 ? ['the default route'] : [])];
}

interface ShownInterface {
  addr_info?: { local: string; scope: string }[];
}
