/**
 * A settled estate as a pure description: which hosts, networks and instances there are, what each holds and what lives
 * on each host. The same options give the same estate in every process, so that one may fill a store and another may play
 * the hosts.
 */
import { createHash } from 'node:crypto';
import { imageResource } from '@plumb/reconciler/controllers/image/resources.ts';
import { ownResources, resourceIds } from '@plumb/reconciler/controllers/instance/resources.ts';
import { bridgeResource } from '@plumb/reconciler/controllers/l2-network/resources.ts';
import { subnetResource } from '@plumb/reconciler/controllers/l3-network/resources.ts';
import { digestOf } from '@plumb/reconciler/controllers/placed/inputs.ts';
import { toAddress, toInteger } from '@plumb/reconciler/plan/addressing.ts';
import type { Allocation } from '@plumb/reconciler/plan/allocation.ts';
import { macFromUid } from '@plumb/reconciler/plan/mac.ts';
import type { HostResource, Image, Instance, L2Network, L3Network, PlumbObject } from '@plumb/schemas';
import agentPackage from '../../../agent/package.json' with { type: 'json' };
import { declared, settled } from './object.ts';

export interface EstateOptions {
  hosts: number;
  instances: number;
  /** Whether one security group selects all instances. */
  grouped?: boolean;
  /** Hosts are PREFIX-0, PREFIX-1 …, as `plumb agent --prefix` names them; `sim`, if absent. */
  prefix?: string;
  /** What each host has; as `plumb agent`, if absent: 64 and 262144. */
  cpus?: number;
  memoryMiB?: number;
  /** When the first object was made, milliseconds since the epoch. */
  at?: number;
}

/** Instances of one L3Network, which is a /20. */
const PER_NETWORK = 4000;
const MS_BETWEEN = 50;
const SHA256 = '0123456789abcdef'.repeat(4);
const TEAMS = 20;
const OFFERINGS = [
  { name: 'small', spec: { cpus: 1, memoryMiB: 128 } },
  { name: 'medium', spec: { cpus: 1, memoryMiB: 256 } },
  { name: 'large', spec: { cpus: 2, memoryMiB: 512 } },
] as const;

/** What a host's agent says of itself; cf. Attach in agent.proto. */
export interface EstateFacts {
  driver: 'simulated';
  agentVersion: string;
  cpus: number;
  memoryMiB: number;
  tunnelAddress: string;
}

export class Estate {
  readonly hosts: number;
  readonly instances: number;
  readonly prefix: string;
  /** Zone, offerings and image: cluster-scoped objects that are there once. */
  readonly common: PlumbObject[];
  readonly l2: L2Network[] = [];
  readonly l3: L3Network[] = [];
  /** Selects all instances; undefined where the estate is not grouped. */
  readonly group: PlumbObject | undefined;
  readonly #image: PlumbObject;
  readonly #offerings: PlumbObject[];
  readonly #cpus: number;
  readonly #memoryMiB: number;
  readonly #at: number;

  /** Throws when the hosts are too small for the instances. */
  constructor({ hosts, instances, grouped, prefix = 'sim', cpus = 64, memoryMiB = 262_144, at }: EstateOptions) {
    this.hosts = hosts;
    this.instances = instances;
    this.prefix = prefix;
    this.#cpus = cpus;
    this.#memoryMiB = memoryMiB;
    this.#at = at ?? Date.UTC(2026, 0, 1);
    const use = this.hostUse(0);
    // CPUs are overcommitted eight times where nothing else is declared.
    if (use && (use.memoryMiB > memoryMiB || use.cpus > 8 * cpus))
      throw new Error(`${instances} instances do not fit on ${hosts} hosts of ${cpus} CPUs and ${memoryMiB} MiB`);
    const zone = this.#ready('Zone', 'home', {}, 'Zone home can be used');
    this.#offerings = OFFERINGS.map(({ name, spec }) =>
      this.#ready('InstanceOffering', name, spec, `InstanceOffering ${name} can be used`),
    );
    const image = { url: 'https://images.invalid/debian-13.qcow2', sha256: SHA256, format: 'qcow2' };
    this.#image = this.#ready(
      'Image',
      'debian-13',
      image,
      `its sum was checked on host ${this.hostName(0)}`,
      'Verified',
    );
    this.common = [zone, ...this.#offerings, this.#image];
    if (grouped) {
      const spec = { selector: {}, ingress: [{ protocol: 'TCP', port: 22 }] };
      const object = declared({ kind: 'SecurityGroup', name: 'all', uid: uidOf(5, 0), at: this.#at, spec });
      const message = `it selects ${instances} interfaces`;
      this.group = settled(object, { interfaces: instances }, { reason: 'Declared', message }, this.#at);
      this.common.push(this.group);
    }
    for (let n = 0; n * PER_NETWORK < instances; n++) this.#addNetwork(n);
  }

  hostName(host: number): string {
    return `${this.prefix}-${host}`;
  }

  /** The secret that the host's agent keeps; the store holds its SHA-256. For measurements: it can be guessed. */
  credential(host: number): string {
    return createHash('sha256')
      .update(`estate ${this.hostName(host)}`)
      .digest('base64url');
  }

  facts(host: number): EstateFacts {
    const number = host + 1;
    // The addresses that `plumb agent --driver simulated` gives its hosts.
    const tunnelAddress = `198.${18 + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
    const { version } = agentPackage;
    return { driver: 'simulated', agentVersion: version, cpus: this.#cpus, memoryMiB: this.#memoryMiB, tunnelAddress };
  }

  host(host: number): PlumbObject {
    const object = declared({
      kind: 'Host',
      name: this.hostName(host),
      uid: uidOf(1, host),
      at: this.#at,
      labels: { rack: `rack-${host % 500}` },
      spec: { zone: 'home' },
    });
    const message = 'its agent is connected, driver simulated';
    return settled(object, { ...this.facts(host) }, { reason: 'Connected', message }, this.#at);
  }

  hostOf(instance: number): number {
    return instance % this.hosts;
  }

  /** Indices of the instances on the host, ascending. */
  *instancesOn(host: number): Generator<number> {
    for (let i = host; i < this.instances; i += this.hosts) yield i;
  }

  /** What is handed out on the host, or undefined when nothing ever was. */
  hostUse(host: number): { cpus: number; memoryMiB: number; instances: number } | undefined {
    const use = { cpus: 0, memoryMiB: 0, instances: 0 };
    for (const i of this.instancesOn(host)) {
      const { cpus, memoryMiB } = OFFERINGS[i % OFFERINGS.length]!.spec;
      use.cpus += cpus;
      use.memoryMiB += memoryMiB;
      use.instances++;
    }
    return use.instances === 0 ? undefined : use;
  }

  instance(instance: number): Instance {
    const object = this.#declared(instance);
    const held = this.allocation(instance);
    const addresses = held.interfaces.flatMap((i) => i.addresses).join(', ');
    const { host, cpus, memoryMiB, interfaces, rootDisk } = held;
    const message = `runs on host ${host} with ${addresses}`;
    const applied = digestOf(this.#ownResources(instance));
    const status = { host, power: 'Running', cpus, memoryMiB, interfaces, rootDisk, applied };
    return settled(object, status, { reason: 'Running', message }, this.#instanceAt(instance) + 400) as Instance;
  }

  allocation(instance: number): Allocation {
    const uid = uidOf(2, instance);
    const { metadata, spec } = this.l3[Math.floor(instance / PER_NETWORK)]!;
    const first = toInteger(spec.ipv4.cidr.split('/')[0]!);
    return {
      host: this.hostName(this.hostOf(instance)),
      ...OFFERINGS[instance % OFFERINGS.length]!.spec,
      interfaces: [
        {
          name: 'eth0',
          l3Network: `default/${metadata.name}`,
          l3NetworkUid: metadata.uid,
          macAddress: macFromUid('02', uid),
          addresses: [toAddress(first + 2 + (instance % PER_NETWORK))],
        },
      ],
      rootDisk: { id: resourceIds.disk(uid), imageUid: this.#image.metadata.uid, sha256: SHA256, format: 'qcow2' },
    };
  }

  /** Everything that lives on the host, in the order of making. Domains run. */
  resourcesOn(host: number): HostResource[] {
    const shared = new Map<string, HostResource>();
    const own: HostResource[] = [];
    for (const i of this.instancesOn(host)) {
      const { l2, l3 } = this.#network(i);
      const stoodOn = [imageResource(this.#image as unknown as Image), bridgeResource(l2, [])];
      for (const resource of [...stoodOn, subnetResource(l3, l2, l3.status!.dhcpAddress!)])
        shared.set(`${resource.kind}/${resource.id}`, resource);
      own.push(...this.#ownResources(i));
    }
    if (this.group && own.length > 0) shared.set('ruleset', rulesOf(this.group));
    const order = ['image', 'bridge', 'subnet', 'ruleset'];
    return [...[...shared.values()].sort((a, b) => order.indexOf(a.kind) - order.indexOf(b.kind)), ...own];
  }

  #ownResources(instance: number): HostResource[] {
    const networks = new Map([['eth0', this.#network(instance)]]);
    const own: HostResource[] = ownResources(this.#declared(instance), this.allocation(instance), networks);
    if (this.group === undefined) return own;
    const rulesets = [this.group.metadata.uid];
    const filters = own.flatMap((resource): HostResource<'port-filter'>[] => {
      const { kind, id, owner } = resource;
      return kind === 'port' ? [{ kind: 'port-filter', id, owner, spec: { port: id, rulesets } }] : [];
    });
    return [...own, ...filters];
  }

  #network(instance: number): { l2: L2Network; l3: L3Network } {
    const network = Math.floor(instance / PER_NETWORK);
    return { l2: this.l2[network]!, l3: this.l3[network]! };
  }

  #declared(instance: number): Instance {
    const network = Math.floor(instance / PER_NETWORK);
    const team = instance % TEAMS;
    return declared({
      kind: 'Instance',
      name: `web-${instance}`,
      uid: uidOf(2, instance),
      at: this.#instanceAt(instance),
      labels: { app: 'web', team: `team-${team}` },
      spec: {
        zone: 'home',
        offering: OFFERINGS[instance % OFFERINGS.length]!.name,
        image: 'debian-13',
        rootDiskMiB: 20_480,
        interfaces: [{ name: 'eth0', l3Network: `net-${network}` }],
        sshKeys: [`ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI${String(team).padStart(43, 'k')} team-${team}@example.org`],
      },
    }) as Instance;
  }

  #addNetwork(n: number): void {
    const second = (n >> 4) & 255;
    const base = `10.${second}.${(n & 15) << 4}`;
    const physicalInterface = `bond0.${100 + n}`;
    const l2 = this.#ready(
      'L2Network',
      `net-${n}`,
      { zone: 'home', type: 'flat', physicalInterface },
      'L3 networks can be put on it',
    );
    const spec = { l2Network: `net-${n}`, ipv4: { cidr: `${base}.0/20`, gateway: `${base}.1` } };
    // The last address but the broadcast address, as the controller of L3Network takes it.
    const dhcpAddress = toAddress(toInteger(`${base}.0`) + 4094);
    const l3 = declared({ kind: 'L3Network', name: `net-${n}`, uid: uidOf(4, n), at: this.#at, spec });
    const message = `instances can be attached; DHCP answers from ${dhcpAddress}`;
    this.l2.push(l2 as L2Network);
    this.l3.push(settled(l3, { dhcpAddress }, { reason: 'Declared', message }, this.#at) as L3Network);
  }

  #ready(kind: string, name: string, spec: Record<string, unknown>, message: string, reason = 'Declared'): PlumbObject {
    const object = declared({ kind, name, uid: uidOf(3, hashOf(`${kind}/${name}`)), at: this.#at, spec });
    return settled(object, {}, { reason, message }, this.#at);
  }

  #instanceAt(instance: number): number {
    return this.#at + 1000 + instance * MS_BETWEEN;
  }
}

function hashOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE();
}

/**
 * A version 4 UUID that looks random: its first 40 bits, of which Ethernet addresses are made, differ for all indices
 * below 2^36 of one class.
 */
function uidOf(kind: number, index: number): string {
  const spread = (BigInt(index * 16 + kind) * 0x9e3779b97bn) & 0xffffffffffn;
  const rest = createHash('sha256').update(`${kind} ${index}`).digest('hex');
  const hex = spread.toString(16).padStart(10, '0') + rest.slice(0, 22);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}

/** A group that names no others says the same on every host. */
function rulesOf({ metadata, spec }: PlumbObject): HostResource<'ruleset'> {
  const { ingress } = spec as { ingress: HostResource<'ruleset'>['spec']['ingress'] };
  const { uid, namespace, name } = metadata;
  return { kind: 'ruleset', id: uid, owner: uid, spec: { name: `${namespace}/${name}`, ingress } };
}
