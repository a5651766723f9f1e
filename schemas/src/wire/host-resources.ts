/**
 * What an agent makes and removes on a host. A host's desired state is a set of resources, its live state is another,
 * and a plan is the difference. Each resource is declared whole, so making it twice is making it once.
 *
 * The spec of a resource crosses the wire as JSON text (agent.proto, `HostResource.spec`); both ends take its type from here.
 * Identity is (kind, id) on one host. `owner` is the uid of the object that it exists for.
 */
import type { FromSchema, JSONSchema } from 'json-schema-to-ts';

const address = { type: 'string', description: 'IPv4 address.' } as const;
const mac = { type: 'string', description: 'Ethernet address, lower case.' } as const;
const bytes = { type: 'integer', minimum: 0 } as const;

/** A base image in the host's cache. id: its sha256. owner: uid of the Image. Shared by all disks cloned from it. */
const image = {
  type: 'object',
  additionalProperties: false,
  required: ['url', 'sha256', 'format', 'maxBytes'],
  properties: {
    url: { type: 'string' },
    sha256: { type: 'string' },
    format: { type: 'string', enum: ['qcow2', 'raw'] },
    maxBytes: { ...bytes, description: 'Bound of the file and of the virtual disk.' },
  },
} as const;

/** The bridge of an L2 network on this host. id and owner: uid of the L2Network. Shared by all ports on it. */
const bridge = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'type', 'mtuBytes', 'peers'],
  properties: {
    name: { type: 'string', description: 'Name of the L2Network, for people.' },
    type: { type: 'string', enum: ['flat', 'vxlan'] },
    vni: { type: 'integer' },
    physicalInterface: { type: 'string' },
    mtuBytes: { type: 'integer' },
    peers: { type: 'array', items: address, description: 'VXLAN endpoints of the other hosts, sorted.' },
  },
} as const;

/** An L3 network on this host: its namespace, gateway leg and DHCP. id and owner: uid of the L3Network. Shared. */
const subnet = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'bridge', 'cidr', 'serverAddress', 'serverMac', 'mtuBytes', 'dnsServers'],
  properties: {
    name: { type: 'string', description: 'project/name of the L3Network, for people.' },
    bridge: { type: 'string', description: 'id of the bridge.' },
    cidr: { type: 'string' },
    gateway: { ...address, description: 'Default router handed out by DHCP; none, if absent.' },
    serverAddress: {
      ...address,
      description:
        "Address of the host's leg, from which DHCP and DNS answer; equals gateway when the gateway is distributed.",
    },
    serverMac: mac,
    mtuBytes: { type: 'integer' },
    domain: { type: 'string' },
    dnsServers: { type: 'array', items: address, description: 'Resolvers handed out; the leg itself, if empty.' },
  },
} as const;

/** A root disk: a linked clone of an image. id: `<instance uid>.root`, or `….root-<sum>` after a replacement. Holds data: removing it is not undoable. */
const disk = {
  type: 'object',
  additionalProperties: false,
  required: ['image', 'imageFormat'],
  properties: {
    image: { type: 'string', description: 'id of the image.' },
    imageFormat: { type: 'string', enum: ['qcow2', 'raw'] },
    sizeBytes: { ...bytes, description: 'Virtual size; that of the image, if absent or smaller.' },
  },
} as const;

/** A NoCloud seed. id: `<instance uid>.seed`. `instanceId` is another for every other userData and sshKeys. */
const seed = {
  type: 'object',
  additionalProperties: false,
  required: ['instanceId', 'hostname', 'sshKeys'],
  properties: {
    instanceId: { type: 'string' },
    hostname: { type: 'string' },
    userData: { type: 'string' },
    sshKeys: { type: 'array', items: { type: 'string' } },
    interfaces: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['name', 'macAddress'],
        properties: { name: { type: 'string' }, macAddress: mac },
      },
      description:
        'Present when there are several: what the guest configures by itself is the first. In the order of declaration.',
    },
  },
} as const;

/** A tap with its DHCP lease and its filter against spoofing. id: `<instance uid>.<interface name>`. */
const port = {
  type: 'object',
  additionalProperties: false,
  required: ['bridge', 'subnet', 'macAddress', 'addresses', 'hostname', 'mtuBytes'],
  properties: {
    bridge: { type: 'string', description: 'id of the bridge.' },
    subnet: { type: 'string', description: 'id of the subnet.' },
    macAddress: mac,
    addresses: { type: 'array', items: address },
    hostname: { type: 'string' },
    mtuBytes: { type: 'integer' },
  },
} as const;

/** A virtual machine. id and owner: uid of the Instance. */
const domain = {
  type: 'object',
  additionalProperties: false,
  required: ['name', 'cpus', 'memoryMiB', 'disks', 'ports', 'power'],
  properties: {
    name: { type: 'string', description: '`project.name`, unique on the host: what `virsh list` shows.' },
    cpus: { type: 'integer' },
    memoryMiB: { type: 'integer' },
    disks: { type: 'array', items: { type: 'string' }, description: 'ids of disks, the root disk first.' },
    seed: { type: 'string', description: 'id of the seed.' },
    ports: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id', 'macAddress', 'mtuBytes'],
        properties: { id: { type: 'string' }, macAddress: mac, mtuBytes: { type: 'integer' } },
      },
    },
    power: { type: 'string', enum: ['Running', 'Stopped'] },
  },
} as const;

/** Schema of the spec of every resource kind, in the order in which resources are made; they are removed in reverse. */
export const resourceSchemas = { image, bridge, subnet, disk, seed, port, domain } as const satisfies Record<
  string,
  JSONSchema
>;

export type ResourceType = keyof typeof resourceSchemas;
export type ResourceSpec<K extends ResourceType = ResourceType> = {
  [P in ResourceType]: FromSchema<(typeof resourceSchemas)[P]>;
}[K];

/** A resource as desired. Distributes over kinds, so that `kind` narrows `spec`. */
export type HostResource<K extends ResourceType = ResourceType> = {
  [P in K]: { kind: P; id: string; owner: string; spec: ResourceSpec<P> };
}[K];

/**
 * What a driver saw of a domain. `shutdown`: the guest ended by itself; `crashed`, `panicked`, `destroyed`, `saved`: it was
 * ended, by its QEMU, its own kernel, somebody on the host, or somebody who kept its memory in a file.
 */
export interface DomainFacts {
  state: 'running' | 'off';
  reason: 'booted' | 'shutdown' | 'crashed' | 'panicked' | 'destroyed' | 'saved' | 'unknown';
  /** How many processors it can have while it runs, where that is more than it has; it was decided when it was started. */
  maxCpus?: number;
  /** The guest was started with a seed that another has taken the place of since; it sees the new one at its next start. */
  oldSeed?: true;
  /** Why nothing that starts or defines it may be done, and what a person can do: data that is nowhere else would be lost. */
  atRisk?: string;
  /** What its QEMU has otherwise than is declared, and keeps until the guest is next started. */
  edited?: string;
  /** Why QEMU holds the guest, which goes on by itself when that is over. */
  paused?: string;
}

/** A resource as it is found on a host. */
export type LiveResource<K extends ResourceType = ResourceType> = HostResource<K> & {
  /** What differs from `spec` in reality, as sentences; empty when the resource is as it was made. */
  drift: string[];
  /** Present on domains. */
  domain?: DomainFacts;
};

/** `kind/id`: the identity of a resource on its host. */
export function resourceKey(resource: { kind: ResourceType; id: string }): string {
  return `${resource.kind}/${resource.id}`;
}

/** Position of the kind in the order of making. */
export function resourceOrder(kind: ResourceType): number {
  return order.indexOf(kind);
}
const order = Object.keys(resourceSchemas) as ResourceType[];
