/**
 * A host in a network namespace of its own, with the agent's own bridges, legs, taps and filter, and a listener at every
 * place at which a guest's frames may come out.
 */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import type { Run } from '../../host/command.ts';
import { run, runInNetwork } from '../../host/command.ts';
import { driverKey, Names } from '../names.ts';
import { namespacePath } from '../namespaces.ts';
import { Network } from '../network.ts';
import { ethernet, ipv4 } from './frames.ts';
import { HeldTaps } from './held-taps.ts';
import { resources } from './world-resources.ts';

/** Who speaks and who hears. The bystander is never spoken to; the stranger is a guest of another network. */
export const parties = ['guest', 'neighbour', 'bystander', 'stranger', 'gateway', 'host', 'outside'] as const;
export type Party = (typeof parties)[number];
const guests = ['guest', 'neighbour', 'bystander', 'stranger'] as const;

export interface Card {
  mac: string;
  ip: string;
}

/** The physical interface of the flat network, which is held as well: at its other end is the outside. */
const UPLINK = 'wire0';
/** Taps beside those of guests. What is sent to a mouth comes from the leg or the host; ears hear what these are sent. */
const auxiliary = {
  gatewayMouth: 'mouth1',
  hostMouth: 'mouth2',
  gatewayEar: 'ear1',
  hostEar: 'ear2',
  mark: 'mark0',
  ghost: 'ghost0',
};
const OUTSIDE: Card = { mac: '52:54:00:0a:00:99', ip: '10.20.0.99' };
const HOST_ADDRESS = '192.0.2.1';
/** Frames that should arrive have this long, on a machine that is busy. */
const MARK_WITHIN_MS = 15_000;

export class World {
  readonly network: Network;
  readonly names: Names;
  /** Runs programs in the host's network. */
  readonly run: Run;
  readonly resources = resources(UPLINK);
  readonly cards: Record<Party, Card>;
  readonly #folder: string;
  readonly #namespace: string;
  #taps: HeldTaps | undefined;
  #marks = 0;

  static async open(): Promise<World> {
    const world = new World(await mkdtemp(join(tmpdir(), 'plumb-isolation-')));
    try {
      await world.#open();
      return world;
    } catch (thrown) {
      await world.close();
      throw thrown;
    }
  }

  private constructor(folder: string) {
    this.#folder = folder;
    this.#namespace = `test-${folder.slice(-6)}`;
    this.run = runInNetwork(namespacePath(this.#namespace));
    this.names = new Names(driverKey(folder, 'host-1'));
    this.network = this.openNetwork();
    const { ports, subnets } = this.resources;
    const card = ({ spec }: HostResource<'port'>): Card => ({ mac: spec.macAddress, ip: spec.addresses[0]! });
    this.cards = {
      guest: card(ports.guest),
      neighbour: card(ports.neighbour),
      bystander: card(ports.bystander),
      stranger: card(ports.stranger),
      gateway: { mac: subnets[0].spec.serverMac, ip: subnets[0].spec.serverAddress },
      host: { mac: '', ip: HOST_ADDRESS },
      outside: OUTSIDE,
    };
  }

  /** The agent's network as it is after a start of the agent, not opened yet. */
  openNetwork(): Network {
    const { key } = this.names;
    return new Network({
      dataDir: this.#folder,
      runDir: join('/run/plumb', key),
      key,
      tunnelAddress: HOST_ADDRESS,
      run: this.run,
      clock: realAmbient().clock,
    });
  }

  /** Path of the host's network namespace. */
  get networkNamespace(): string {
    return namespacePath(this.#namespace);
  }

  /** The taps of all parties. */
  get taps(): HeldTaps {
    if (this.#taps === undefined) throw new Error('the world is not open');
    return this.#taps;
  }

  /** The tap by which a party speaks. */
  mouth(party: Party): string {
    if (party === 'gateway') return auxiliary.gatewayMouth;
    if (party === 'host') return auxiliary.hostMouth;
    if (party === 'outside') return UPLINK;
    return this.names.tap(this.resources.ports[party].id);
  }

  /** What is sent here reaches the gateway as if it came through the bridge, from whomever it says. */
  get ghost(): string {
    return auxiliary.ghost;
  }

  /** Takes further taps, of ports that came later. To be closed by the caller. */
  async hold(taps: readonly string[]): Promise<HeldTaps> {
    const held = await HeldTaps.open(namespacePath(this.#namespace), taps);
    // The kernel tells a bridge within a second that someone is at the other end.
    const isReady = async () => {
      const ports = JSON.parse(await this.run('bridge', ['-j', 'link', 'show'])) as { ifname: string; state: string }[];
      return ports.every(({ ifname, state }) => state === 'forwarding' || !taps.includes(ifname));
    };
    while (!(await isReady())) await new Promise((resolve) => setTimeout(resolve, 20));
    return held;
  }

  /** Folder of the files of the lab network's DHCP server. */
  get serverFolder(): string {
    return join('/run/plumb', this.names.key, 'dhcp', this.resources.subnets[0].id);
  }

  /** Whether the kernel hands bridged packets to the host's own filters, as it does where Docker or a kubelet runs. */
  async setBridgeNetfilter(on: boolean): Promise<void> {
    const settings = ['arptables', 'iptables', 'ip6tables'].map((table) => `net.bridge.bridge-nf-call-${table}`);
    const write = settings.map((name) => `echo ${on ? 1 : 0} > /proc/sys/${name.replaceAll('.', '/')}`).join(' && ');
    await this.run('sh', ['-c', write]);
  }

  /**
   * Sends the frames from one party, one after another, and resolves to who heard each of them. Frames are told apart by
   * their bytes, so no two may be the same.
   */
  async send(from: Party, frames: readonly Buffer[]): Promise<Set<Party>[]> {
    const heard = frames.map(() => new Set<Party>());
    const byContent = new Map(frames.map((frame, index) => [frame.toString('latin1'), index]));
    if (byContent.size < frames.length) throw new Error('two frames are the same: give each a number of its own');
    const lengths = [...new Set(frames.map(({ length }) => length))];
    const ears = this.#ears();
    let onMark = (_ear: string, _frame: Buffer) => {};
    const { taps } = this;
    const stop = taps.listen((tap, frame) => {
      const party = ears.get(tap);
      if (party === undefined) return;
      onMark(tap, frame);
      if (from === 'host' && party === 'host') return;
      for (const length of lengths) {
        const index = byContent.get(frame.subarray(0, length).toString('latin1'));
        if (index !== undefined) heard[index]!.add(party);
      }
    });
    /** Resolves when all of these taps were sent the mark, and so everything that was sent before it. */
    const mark = (mouth: string, to: Party, waiting: Set<string>) =>
      new Promise<void>((resolve, reject) => {
        const tooLate = () => reject(new Error(`${[...waiting].join(', ')} did not hear the mark from ${mouth}`));
        const timer = setTimeout(tooLate, MARK_WITHIN_MS);
        const sent = this.#mark(from, to);
        onMark = (ear, frame) => {
          if (!frame.subarray(0, sent.length).equals(sent)) return;
          if (!waiting.delete(ear) || waiting.size > 0) return;
          clearTimeout(timer);
          resolve();
        };
        taps.send(mouth, sent);
      });
    try {
      await this.run('nft', ['flush', 'set', 'inet', 'witness', 'seen']);
      for (const frame of frames) taps.send(this.mouth(from), frame);
      const to = from === 'guest' ? 'neighbour' : 'guest';
      await mark(this.mouth(from), to, new Set([from === 'host' ? auxiliary.hostEar : this.mouth(to)]));
      await mark(auxiliary.mark, to, new Set(ears.keys()));
    } finally {
      stop();
    }
    for (const id of await this.#seenByHost())
      for (const [index, frame] of frames.entries()) if (ipId(frame) === id) heard[index]!.add('host');
    return heard;
  }

  /** What the bridges have learned of who is where, but at the uplink; as `bridge` shows it. */
  async learned(): Promise<string[]> {
    const lines = (await this.run('bridge', ['fdb', 'show'])).split('\n');
    return lines.filter((line) => /\bmaster\b/.test(line) && !/\b(static|permanent)\b|dev wire0 /.test(line));
  }

  async close(): Promise<void> {
    await this.#taps?.close();
    const dhcp = join('/run/plumb', this.names.key, 'dhcp');
    for (const subnet of await readdir(dhcp).catch(() => []))
      process.kill(Number(await readFile(join(dhcp, subnet, 'pid'), 'utf8')), 'SIGKILL');
    await rm(join('/run/plumb', this.names.key), { recursive: true, force: true });
    const ours = (name: string) => this.names.subnetOf(name) !== undefined || name === this.#namespace;
    for (const name of (await readdir('/run/netns').catch(() => [])).filter(ours))
      await run('ip', ['netns', 'del', name]);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async #open(): Promise<void> {
    await run('ip', ['netns', 'add', this.#namespace]);
    const taps = [UPLINK, ...Object.values(auxiliary)];
    const lines = taps.flatMap((tap) => [`tuntap add dev ${tap} mode tap`, `link set dev ${tap} addrgenmode none up`]);
    const input = ['link set lo up', `addr add ${HOST_ADDRESS}/32 dev lo`, ...lines].join('\n');
    await this.run('ip', ['-batch', '-'], { input });
    await this.setBridgeNetfilter(false);
    await this.network.open();
    const { bridges, subnets, ports } = this.resources;
    for (const bridge of bridges) await this.network.ensureBridge(bridge);
    for (const subnet of subnets) await this.network.ensureSubnet(subnet);
    for (const port of Object.values(ports)) await this.network.ensurePort(port);
    await this.#putEars();
    const shown = JSON.parse(await this.run('ip', ['-j', 'link', 'show', 'dev', this.#bridge()]));
    this.cards.host.mac = shown[0].address;
    this.#taps = await this.hold([...guests.map((guest) => this.mouth(guest)), ...taps]);
  }

  #bridge(): string {
    return this.names.bridge(this.resources.bridges[0].id);
  }

  /**
   * What the bridge gives to the leg and to the host is copied to a tap; what comes from another one is given to the
   * bridge in their name. A table sees which packets come to the host by whatever way.
   */
  async #putEars(): Promise<void> {
    const { gatewayMouth, hostMouth, gatewayEar, hostEar, mark, ghost } = auxiliary;
    const leg = this.names.leg(this.resources.subnets[0].id);
    const qdiscs = [leg, this.#bridge(), gatewayMouth, hostMouth, mark, ghost].map(
      (dev) => `qdisc add dev ${dev} clsact`,
    );
    const copies = [...this.#ears().keys()].map((ear) => `action mirred egress mirror dev ${ear}`).join(' ');
    const filters = [
      `${leg} egress protocol all u32 match u32 0 0 action mirred egress mirror dev ${gatewayEar}`,
      `${this.#bridge()} ingress protocol all u32 match u32 0 0 action mirred egress mirror dev ${hostEar}`,
      `${gatewayMouth} ingress protocol all u32 match u32 0 0 action mirred ingress redirect dev ${leg}`,
      // The host is not heard by anyone: its ear hears it instead.
      `${hostMouth} ingress protocol all u32 match u32 0 0 action mirred egress mirror dev ${hostEar} action mirred egress redirect dev ${this.#bridge()}`,
      `${ghost} ingress protocol all u32 match u32 0 0 action mirred egress redirect dev ${leg}`,
      `${mark} ingress protocol all u32 match u32 0 0 ${copies}`,
    ].map((filter) => `filter add dev ${filter}`);
    await this.run('tc', ['-batch', '-'], { input: [...qdiscs, ...filters, ''].join('\n') });
    const rule = 'meta iiftype ether add @seen { ip id }';
    const chain = `chain in { type filter hook prerouting priority -400; ${rule}; }`;
    const input = `table inet witness { set seen { typeof ip id; size 65535; flags dynamic; }; ${chain}; }`;
    await this.run('nft', ['-f', '-'], { input });
  }

  /** The identifications of the IPv4 packets that the host's own network has seen since the set was emptied. */
  async #seenByHost(): Promise<number[]> {
    const { nftables } = JSON.parse(await this.run('nft', ['-j', 'list', 'set', 'inet', 'witness', 'seen']));
    return nftables.flatMap(({ set }: { set?: { elem?: number[] } }) => set?.elem ?? []);
  }

  #ears(): Map<string, Party> {
    return new Map([
      ...guests.map((guest): [string, Party] => [this.mouth(guest), guest]),
      [UPLINK, 'outside'],
      [auxiliary.gatewayEar, 'gateway'],
      [auxiliary.hostEar, 'host'],
    ]);
  }

  #mark(from: Party, to: Party): Buffer {
    this.#marks += 1;
    const payload = ipv4({ from: this.cards[from].ip, to: this.cards[to].ip, id: 0xf000 + this.#marks });
    return ethernet({ to: this.cards[to].mac, from: this.cards[from].mac, type: 0x0800, payload });
  }
}

/** The identification of an IPv4 packet; undefined for other frames. */
function ipId(frame: Buffer): number | undefined {
  return frame.length >= 20 && frame.readUInt16BE(12) === 0x0800 ? frame.readUInt16BE(18) : undefined;
}
