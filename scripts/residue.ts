/** What Plumb may leave on a machine: a list of names that is compared before and after. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from './run.ts';

/** Every link, network namespace, nftables table, guest and file of guests there is now, sorted, as `kind name`. */
export async function whatIsThere(options: { virshUri?: string | undefined; files?: string }): Promise<string[]> {
  const found = await Promise.all([
    links(),
    namespaces(),
    tables(),
    options.virshUri ? guests(options.virshUri) : [],
    options.files ? files(options.files) : [],
  ]);
  return found.flat().sort();
}

/** What is there after, and was not before. */
export function left(before: readonly string[], after: readonly string[]): string[] {
  const known = new Set(before);
  return after.filter((name) => !known.has(name));
}

async function links(): Promise<string[]> {
  const { stdout } = await run('ip', ['-json', 'link', 'show']);
  return (JSON.parse(stdout) as { ifname: string }[]).map(({ ifname }) => `link ${ifname}`);
}

async function namespaces(): Promise<string[]> {
  return (await readdir('/run/netns').catch(() => [])).map((name) => `network namespace ${name}`);
}

async function tables(): Promise<string[]> {
  const { stdout } = await run('nft', ['--json', 'list', 'tables']);
  const { nftables } = JSON.parse(stdout) as { nftables: { table?: { family: string; name: string } }[] };
  return nftables.flatMap(({ table }) => (table ? [`nftables table ${table.family} ${table.name}`] : []));
}

async function guests(uri: string): Promise<string[]> {
  const { stdout } = await run('virsh', ['-c', uri, 'list', '--all', '--name']);
  return stdout.split('\n').flatMap((name) => (name.trim() ? [`guest ${name.trim()}`] : []));
}

async function files(folder: string): Promise<string[]> {
  const found = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  return found.filter((entry) => !entry.isDirectory()).map((entry) => `file ${join(entry.parentPath, entry.name)}`);
}
