/**
 * Whether the host's own firewall cuts guests off. Where br_netfilter is on (net.bridge.bridge-nf-call-iptables), which
 * Docker and kubelets need, the kernel hands what a bridge forwards to the host's FORWARD chains, and Docker's policy
 * there is to drop. No table of ours can prevent it: another chain's verdict to drop stands. So it is tried, with a packet
 * over a bridge that is made for it, and told.
 */
import type { Clock } from '@plumb/schemas';
import type { Run } from '../host/command.ts';
import { CommandFailed, runInNetwork } from '../host/command.ts';
import { ipBatch } from './ip.ts';
import { namespacePath } from './namespaces.ts';

const SYSCTL = '/proc/sys/net/bridge/bridge-nf-call-iptables';
const LEGACY_TABLES = '/proc/net/ip_tables_names';
/** As long as packets pass and no chain comes or goes, a new try has time. */
const TRY_AGAIN_MS = 60_000;
const [FROM, TO, PORT] = ['198.18.255.253', '198.18.255.254', 9];
const TO_MAC = '02:00:00:00:00:02';
const SEND = `const s = require('node:dgram').createSocket('udp4'); s.send('?', ${PORT}, '${TO}', () => s.close())`;
/** A busy machine may lose one. */
const PACKETS = 3;

export class BridgedPackets {
  readonly #run: Run;
  readonly #clock: Clock;
  readonly #key: string;
  #before = '';
  #triedAt = 0;

  /** `key` tells this driver's trial from another's on the same machine. */
  constructor(run: Run, clock: Clock, key: string) {
    this.#run = run;
    this.#clock = clock;
    this.#key = key;
  }

  /** Undefined as long as packets between guests pass; else a sentence of what keeps them from it and what to do. */
  async problem(): Promise<string | undefined> {
    const chains = await this.#suspects();
    if (chains.length === 0) {
      this.#before = '';
      return undefined;
    }
    const now = chains.join();
    if (now === this.#before && this.#clock.now() - this.#triedAt < TRY_AGAIN_MS) return undefined;
    if (await this.#passes()) {
      this.#before = now;
      this.#triedAt = this.#clock.now();
      return undefined;
    }
    this.#before = '';
    return `guests of this host do not reach each other, nor their DHCP server: br_netfilter hands what bridges forward to the host's firewall (net.bridge.bridge-nf-call-iptables is 1), which drops it (${chains.join('; ')}). Let it pass, e.g. with "iptables -I FORWARD -i pb+ -o pb+ -j ACCEPT" (with Docker: DOCKER-USER instead of FORWARD), or, if nothing on this host needs br_netfilter, set that sysctl to 0`;
  }

  /** Chains that may drop what a bridge forwards, e.g. `chain FORWARD of table ip filter, policy drop`. */
  async #suspects(): Promise<string[]> {
    if ((await this.#read(SYSCTL)).trim() !== '1') return [];
    const legacy = (await this.#read(LEGACY_TABLES)).split('\n');
    const listed = JSON.parse(await this.#run('nft', ['-j', 'list', 'chains'])) as { nftables: Listed[] };
    const chains = listed.nftables.flatMap(({ chain }) => {
      if (chain?.hook !== 'forward' || (chain.family !== 'ip' && chain.family !== 'inet')) return [];
      return [`chain ${chain.name} of table ${chain.family} ${chain.table}, policy ${chain.policy ?? 'accept'}`];
    });
    return [...chains, ...(legacy.includes('filter') ? ['chain FORWARD of iptables-legacy'] : [])].sort();
  }

  /** A file of the kernel, as the host's network has it; nothing when it is not there. */
  async #read(path: string): Promise<string> {
    return this.#run('cat', [path]).catch((thrown: unknown) => {
      if (thrown instanceof CommandFailed) return '';
      throw thrown;
    });
  }

  /** Sends one packet over a bridge between two ends that nobody else has. */
  async #passes(): Promise<boolean> {
    const [bridge, one, other, namespace] = [
      `pbtry${this.#key}`,
      `pa${this.#key}`,
      `pz${this.#key}`,
      `plumbtry-${this.#key}`,
    ];
    const inside = runInNetwork(namespacePath(namespace), this.#run);
    const undo = async () => {
      await this.#run('ip', ['link', 'del', bridge]).catch(() => {});
      await this.#run('ip', ['netns', 'del', namespace]).catch(() => {});
    };
    await undo();
    try {
      await this.#run('ip', ['netns', 'add', namespace]);
      await ipBatch(this.#run, [
        ['link', 'add', bridge, 'type', 'bridge', 'stp_state', '0', 'forward_delay', '0', 'mcast_snooping', '0'],
        ...[one, other].flatMap((name, end) => [
          ['link', 'add', name, 'type', 'veth', 'peer', 'name', `end${end}`, 'netns', namespace],
          ['link', 'set', 'dev', name, 'addrgenmode', 'none', 'master', bridge, 'up'],
        ]),
        ['link', 'set', 'dev', bridge, 'addrgenmode', 'none', 'up'],
      ]);
      await ipBatch(inside, [
        ['link', 'set', 'dev', 'end0', 'addrgenmode', 'none', 'up'],
        ['link', 'set', 'dev', 'end1', 'addrgenmode', 'none', 'address', TO_MAC, 'up'],
        ['addr', 'add', `${FROM}/30`, 'dev', 'end0'],
        ['neigh', 'add', TO, 'lladdr', TO_MAC, 'dev', 'end0', 'nud', 'permanent'],
      ]);
      const rule = `iifname "end1" udp dport ${PORT} counter`;
      const chain = `chain in { type filter hook prerouting priority 0; ${rule}; }`;
      await inside('nft', ['-f', '-'], { input: `table ip seen { ${chain}; }` });
      for (let sent = 0; sent < PACKETS; sent++) {
        await inside(process.execPath, ['-e', SEND]);
        const { nftables } = JSON.parse(await inside('nft', ['-j', 'list', 'table', 'ip', 'seen'])) as {
          nftables: Listed[];
        };
        if (nftables.some(({ rule }) => rule?.expr.some(({ counter }) => (counter?.packets ?? 0) > 0))) return true;
      }
      return false;
    } finally {
      await undo();
    }
  }
}

interface Listed {
  chain?: { family: string; table: string; name: string; hook?: string; policy?: string };
  rule?: { expr: { counter?: { packets: number } }[] };
}
