/** What an agent has on a machine: found by its marks, so that nobody else's things are taken for its own. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { driverKey, looksLikeOurs } from '../agent/src/network/names.ts';
import { run } from './run.ts';

/** Where agents keep what need not outlive the machine: files of their DHCP servers. */
const RUN = '/run/plumb';

export interface AgentPlace {
  /** Data folder of the agent, absolute, and name of its host. */
  agentDir: string;
  host: string;
  virshUri: string;
}

/**
 * Links, network namespaces, nftables tables, guests, processes and files of this agent, sorted, as `kind name`. Empty
 * when nothing is declared any more. What keeps the agent's identity is not among them.
 */
export async function traces(place: AgentPlace): Promise<string[]> {
  const key = driverKey(place.agentDir, place.host);
  const found = await Promise.all([
    links(key),
    namespaces(key),
    tables(key),
    guests(place.virshUri),
    processes([place.agentDir, join(RUN, key)]),
    files(place.agentDir),
    files(join(RUN, key)),
  ]);
  return found.flat().sort();
}

async function links(key: string): Promise<string[]> {
  const { stdout } = await run('ip', ['-json', 'link', 'show']);
  const all = JSON.parse(stdout) as { ifname: string; ifalias?: string }[];
  const ours = all.filter(({ ifname, ifalias = '' }) =>
    ifalias.startsWith('plumb:') ? ifalias.startsWith(`plumb:${key}:`) : looksLikeOurs(ifname),
  );
  return ours.map(({ ifname }) => `link ${ifname}`);
}

async function namespaces(key: string): Promise<string[]> {
  const names = await readdir('/run/netns').catch(() => []);
  return names.filter((name) => name.startsWith(`plumb-${key}`)).map((name) => `network namespace ${name}`);
}

async function tables(key: string): Promise<string[]> {
  const { stdout } = await run('nft', ['--json', 'list', 'tables']);
  const { nftables } = JSON.parse(stdout) as { nftables: { table?: { family: string; name: string } }[] };
  const ours = nftables.flatMap(({ table }) => (table?.name.includes(key) ? [table] : []));
  return ours.map(({ family, name }) => `nftables table ${family} ${name}`);
}

async function guests(uri: string): Promise<string[]> {
  const { stdout } = await run('virsh', ['-c', uri, 'list', '--all', '--name']);
  return stdout.split('\n').flatMap((name) => (name.trim() ? [`guest ${name.trim()}`] : []));
}

/** QEMU and dnsmasq have paths of the agent's folders among their arguments. */
async function processes(folders: readonly string[]): Promise<string[]> {
  const found: string[] = [];
  for (const pid of (await readdir('/proc')).filter((name) => /^\d+$/.test(name))) {
    const [program = '', ...args] = (await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')).split('\0');
    if (/qemu|dnsmasq/.test(program) && args.some((arg) => folders.some((folder) => arg.includes(folder))))
      found.push(`process ${pid} ${program}`);
  }
  return found;
}

/** What says who the host is, and that its agent is the only one: it stays when nothing is declared any more. */
const IDENTITY = ['hosts', 'locks'];

/** Records of resources, images, disks, seeds, leases; an empty folder is no trace. */
async function files(agentDir: string): Promise<string[]> {
  const found = await readdir(agentDir, { recursive: true, withFileTypes: true }).catch(() => []);
  return found
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(agentDir.length + 1))
    .filter((path) => path.includes('/') && !IDENTITY.includes(path.split('/', 1)[0] ?? ''))
    .map((path) => `file ${path}`);
}

/** Takes away by force what {@link traces} finds of networks and processes. For tests that failed half way. */
export async function removeTraces(place: Omit<AgentPlace, 'virshUri'>): Promise<void> {
  const key = driverKey(place.agentDir, place.host);
  for (const trace of [
    ...(await processes([place.agentDir, join(RUN, key)])),
    ...(await namespaces(key)),
    ...(await links(key)),
  ]) {
    const words = trace.split(' ');
    if (words[0] === 'process') process.kill(Number(words[1]), 'SIGKILL');
    else if (words[0] === 'link') await run('ip', ['link', 'delete', words[1] ?? ''], { accept: [0, 1] });
    else await run('ip', ['netns', 'delete', words[2] ?? ''], { accept: [0, 1] });
  }
  for (const trace of await tables(key)) {
    const [, , family = '', name = ''] = trace.split(' ');
    await run('nft', ['delete', 'table', family, name]);
  }
}
