/**
 * The addresses that this machine takes for itself. The kernel's table of local addresses is asked, since Node's list of
 * interfaces leaves out those without a carrier, such as a bridge on which nothing is, and they are connected to all the same.
 */
import { readFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { type Block, parseBlock } from './address.ts';

export async function ownAddresses(): Promise<Block[]> {
  const tables = ['/proc/net/fib_trie', '/proc/net/ipv6_route'].map(readOrNothing);
  const [trie = '', routes = ''] = await Promise.all(tables);
  const listed = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  const blocks = listed.map(({ address }) => parseBlock(address));
  return [...localIpv4(trie), ...localIpv6(routes), ...blocks.filter((block) => block !== undefined)];
}

/** Entries of type LOCAL in `/proc/net/fib_trie`: a line with the address, then one for each of its routes. */
export function localIpv4(trie: string): Block[] {
  const blocks: Block[] = [];
  let address = '';
  for (const line of trie.split('\n')) {
    const leaf = line.match(/\|-- (\S+)$/)?.[1];
    if (leaf !== undefined) address = leaf;
    const prefix = line.match(/^\s+\/(\d+) \S+ LOCAL\b/)?.[1];
    const block = prefix === undefined ? undefined : parseBlock(`${address}/${prefix}`);
    if (block) blocks.push(block);
  }
  return blocks;
}

/** `RTF_LOCAL` of linux/ipv6_route.h. */
const LOCAL = 0x8000_0000;

/** Entries with the flag of local ones in `/proc/net/ipv6_route`: destination, prefix, six more fields, flags, interface. */
export function localIpv6(routes: string): Block[] {
  return routes.split('\n').flatMap((line): Block[] => {
    const [destination = '', prefix = '', ...rest] = line.split(/\s+/);
    const flags = Number.parseInt(rest[6] ?? '', 16);
    if (destination.length !== 32 || !(flags >= LOCAL)) return [];
    return [{ family: 6, value: BigInt(`0x${destination}`), prefix: Number.parseInt(prefix, 16) }];
  });
}

function readOrNothing(path: string): Promise<string> {
  return readFile(path, 'utf8').catch(() => ''); // Another kernel than Linux: the interfaces are all that is known.
}
