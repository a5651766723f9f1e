/** Finds the network namespace in which an L3 network lives on this machine. */
import { readdir } from 'node:fs/promises';
import { driverKey } from '../../agent/src/network/names.ts';
import { run } from '../run.ts';

/** Of those that the agent made: the one in which a link has the address. Rejects when there is none. */
export async function networkNamespaceWith(
  address: string,
  agent: { agentDir: string; host: string },
): Promise<string> {
  const prefix = `plumb-${driverKey(agent.agentDir, agent.host)}-`;
  for (const name of await readdir('/run/netns').catch(() => [])) {
    if (!name.startsWith(prefix)) continue;
    const { stdout } = await run('ip', ['-n', name, '-json', 'address', 'show'], { accept: [0, 1] });
    const links = JSON.parse(stdout || '[]') as { addr_info?: { local?: string }[] }[];
    if (links.some((link) => link.addr_info?.some(({ local }) => local === address))) return name;
  }
  throw new Error(`no network namespace of ${agent.host} on this machine has ${address}: is the network Ready?`);
}
