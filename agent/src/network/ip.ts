/** iproute2: batches of changes, and the kernel's answer to what is there. */
import { terminal } from '@plumb/schemas';
import type { Run } from '../host/command.ts';

/** One command as its words, without `ip` in front. */
export type IpCommand = readonly string[];

/** An interface as `ip -d -j link` shows it, the part that matters here. */
export interface Link {
  name: string;
  up: boolean;
  /** Whether someone holds the other end: of a tap, whether QEMU has it open. */
  carrier: boolean;
  mtuBytes: number;
  mac: string;
  alias?: string;
  /** Name of the bridge that it is a port of. */
  master?: string;
  /** `bridge`, `vxlan`, `veth`, `tun`; absent on hardware. */
  kind?: string;
  /** Of a bridge: whether it hands IPv4 packets to the host's connection tracking, as told to it alone. */
  tracked?: boolean;
  vxlan?: { vni: number; local?: string; port: number };
  /** How a port of a bridge is switched; absent where the interface is none. */
  switched?: { learning: boolean; flood: boolean; groups: number };
}

/** An Ethernet address that a bridge was told to find at one of its ports, and nowhere else. */
export interface FixedAddress {
  mac: string;
  /** Name of the port. */
  dev: string;
  /** Whether it stays there when it is heard at another port. */
  sticky: boolean;
}

/** Carries out commands one after another, in one process; the first failure ends it. */
export async function ipBatch(run: Run, commands: readonly IpCommand[]): Promise<void> {
  if (commands.length > 0) await run('ip', ['-batch', '-'], { input: batchText(commands) });
}

/** The same for the forwarding database and bridge ports. */
export async function bridgeBatch(run: Run, commands: readonly IpCommand[]): Promise<void> {
  if (commands.length > 0) await run('bridge', ['-batch', '-'], { input: batchText(commands) });
}

/** All interfaces of the network namespace, by name. */
export async function readLinks(run: Run): Promise<Map<string, Link>> {
  const found = JSON.parse(await run('ip', ['-d', '-j', 'link', 'show'])) as RawLink[];
  return new Map(found.map((raw) => [raw.ifname, link(raw)]));
}

/** The hosts to which a VXLAN interface sends what it does not know, sorted. */
export async function readPeers(run: Run, vxlan: string): Promise<string[]> {
  const entries = JSON.parse(await run('bridge', ['-j', 'fdb', 'show', 'dev', vxlan])) as {
    mac: string;
    dst?: string;
  }[];
  return entries.flatMap(({ mac, dst }) => (mac === EVERYONE && dst !== undefined ? [dst] : [])).sort();
}

/** The addresses that bridges were told; of one port, if `dev` is given. */
export async function readFixedAddresses(run: Run, dev?: string): Promise<FixedAddress[]> {
  const of = dev === undefined ? [] : ['dev', dev];
  const entries = JSON.parse(await run('bridge', ['-j', 'fdb', 'show', ...of, 'state', 'static'])) as RawEntry[];
  return entries
    .filter(({ master, state }) => master !== undefined && state === 'static')
    .map(({ mac, ifname = dev ?? '', flags = [] }) => ({ mac, dev: ifname, sticky: flags.includes('sticky') }));
}

/** The Ethernet address whose entry in a VXLAN's forwarding database stands for all unknown ones. */
export const EVERYONE = '00:00:00:00:00:00';

/** A batch is read word by word: a blank, a quote or a `#` in a word would make it several, or a comment. */
function batchText(commands: readonly IpCommand[]): string {
  for (const word of commands.flat())
    if (!/^[\x21\x24-\x26\x28-\x5b\x5d-\x7e]+$/.test(word))
      throw terminal(
        'InvalidResource',
        `${JSON.stringify(word)} cannot be given to ip: it has characters that no name has`,
      );
  return commands.map((words) => `${words.join(' ')}\n`).join('');
}

interface RawEntry {
  mac: string;
  ifname?: string;
  master?: string;
  state?: string;
  flags?: string[];
}

interface RawLink {
  ifname: string;
  flags: string[];
  mtu: number;
  address?: string;
  ifalias?: string;
  master?: string;
  linkinfo?: {
    info_kind?: string;
    info_data?: { id?: number; local?: string; port?: number; nf_call_iptables?: number };
    info_slave_kind?: string;
    info_slave_data?: { learning?: boolean; flood?: boolean; group_fwd_mask?: string };
  };
}

function link(raw: RawLink): Link {
  const kind = raw.linkinfo?.info_kind;
  const data = raw.linkinfo?.info_data;
  const port = raw.linkinfo?.info_slave_kind === 'bridge' ? raw.linkinfo.info_slave_data : undefined;
  return {
    name: raw.ifname,
    up: raw.flags.includes('UP'),
    carrier: raw.flags.includes('LOWER_UP'),
    mtuBytes: raw.mtu,
    mac: raw.address ?? '',
    ...(raw.ifalias === undefined ? {} : { alias: raw.ifalias }),
    ...(raw.master === undefined ? {} : { master: raw.master }),
    ...(kind === undefined ? {} : { kind }),
    ...(kind === 'bridge' ? { tracked: data?.nf_call_iptables === 1 } : {}),
    ...(kind === 'vxlan' && data?.id !== undefined
      ? { vxlan: { vni: data.id, port: data.port ?? 0, ...(data.local === undefined ? {} : { local: data.local }) } }
      : {}),
    ...(port === undefined
      ? {}
      : {
          switched: {
            learning: port.learning === true,
            flood: port.flood === true,
            groups: Number(port.group_fwd_mask ?? 0),
          },
        }),
  };
}
