/** Finds the network namespace in which an L3 network lives on this machine. */
import { readdir } from 'node:fs/promises';
import { run } from '../run.ts';

/** Name of the network namespace in which a link has the address. Rejects when there is none. */
export async function networkNamespaceWith(address: string): Promise<string> {
  for (const name of await readdir('/run/netns').catch(() => [])) {
    const { stdout } = await run('ip', ['-n', name, '-json', 'address', 'show'], { accept: [0, 1] });
    const links = JSON.parse(stdout || '[]') as { addr_info?: { local?: string }[] }[];
    if (links.some((link) => link.addr_info?.some(({ local }) => local === address))) return name;
  }
  throw new Error(`no network namespace of this machine has ${address}: is the network Ready?`);
}
