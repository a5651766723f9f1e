import { readdir, rm, stat } from 'node:fs/promises';
import type { Run } from '../host/command.ts';
import { CommandFailed, runInNetwork } from '../host/command.ts';
import { nothingThere } from '../host/records.ts';
import { LEG } from './dhcp.ts';
import type { LegInside } from './subnet.ts';

/** Where iproute2 keeps named network namespaces. */
const FOLDER = '/run/netns';

/** The path that tools take a namespace by. */
export function namespacePath(name: string): string {
  return `${FOLDER}/${name}`;
}

/** Names of all network namespaces of the machine. */
export async function listNamespaces(): Promise<Set<string>> {
  const names = await readdir(FOLDER).catch(nothingThere<string[]>([]));
  const alive = await Promise.all(names.map(isAlive));
  return new Set(names.filter((_name, index) => alive[index]));
}

/** Makes a namespace of this name, unless there is one. */
export async function addNamespace(run: Run, name: string): Promise<void> {
  if (await isAlive(name)) return;
  await rm(namespacePath(name), { force: true });
  await run('ip', ['netns', 'add', name]);
}

/** Removes the name; the namespace goes with the last process in it. */
export async function deleteNamespace(run: Run, name: string): Promise<void> {
  if (await isAlive(name)) await run('ip', ['netns', 'del', name]);
  else await rm(namespacePath(name), { force: true });
}

/** A namespace is mounted over its file. Where /run survives a reboot, the file does so too, and is all that is left. */
async function isAlive(name: string): Promise<boolean> {
  const file = await stat(namespacePath(name)).catch(nothingThere(undefined));
  return file !== undefined && file.dev !== (await stat(FOLDER)).dev;
}

/** A leg as it is in its namespace; undefined when the namespace or the leg is missing. */
export async function readLegInside(run: Run, namespace: string): Promise<LegInside | undefined> {
  try {
    const text = await runInNetwork(namespacePath(namespace), run)('ip', ['-j', 'addr', 'show', 'dev', LEG]);
    const [leg] = JSON.parse(text) as Shown[];
    if (leg === undefined) return undefined;
    const ipv4 = leg.addr_info.filter(({ family }) => family === 'inet');
    return {
      index: leg.ifindex,
      mac: leg.address,
      up: leg.flags.includes('UP'),
      addresses: ipv4.map(({ local, prefixlen }) => `${local}/${prefixlen}`),
    };
  } catch (thrown) {
    if (thrown instanceof CommandFailed) return undefined;
    throw thrown;
  }
}

interface Shown {
  ifindex: number;
  address: string;
  flags: string[];
  addr_info: { family: string; local: string; prefixlen: number }[];
}
