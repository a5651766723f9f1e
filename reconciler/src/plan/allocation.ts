import { isRootDiskOf } from '@plumb/schemas/kinds/instance.ts';
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { toInteger } from './addressing.ts';
import { type Claims, CPUS, type ExclusiveKey, INSTANCES, MEMORY_MIB, pools } from './claims.ts';
import type { HoldingType } from './holding.ts';

/** What one instance holds: its place, its share of the host, its addresses. Decided by the plan, kept in status. */
export interface Allocation {
  host: string;
  cpus: number;
  memoryMiB: number;
  interfaces: InterfaceAllocation[];
  rootDisk: RootDisk;
}

/** The disk that the instance starts from, and what it is a clone of: an edit of the Image never touches it. */
export interface RootDisk {
  /** id of the resource on the host. */
  id: string;
  imageUid: string;
  sha256: string;
  format: 'qcow2' | 'raw';
}

export interface InterfaceAllocation {
  name: string;
  /** project/name of the L3Network. */
  l3Network: string;
  l3NetworkUid: string;
  macAddress: string;
  addresses: string[];
}

/** Addresses of L3Networks: `<l3 uid>/<address>`. */
export const ADDRESS = pools.define({ name: 'address', ordinal: integerOf });
export const MAC = pools.define({ name: 'mac' });

const known = new WeakMap<Allocation, Claims>();

/** What the instance claims by it; of the same allocation the same. */
export function claimsOf(allocation: Allocation): Claims {
  const before = known.get(allocation);
  if (before) return before;
  const { host, cpus, memoryMiB, interfaces } = allocation;
  const exclusive: ExclusiveKey[] = [];
  for (const { l3NetworkUid, addresses, macAddress } of interfaces) {
    for (const address of addresses) exclusive.push({ pool: ADDRESS, key: `${l3NetworkUid}/${address}` });
    exclusive.push({ pool: MAC, key: macAddress });
  }
  const claims: Claims = { host, amounts: amountsOf({ cpus, memoryMiB }), exclusive };
  known.set(allocation, claims);
  return claims;
}

/** What one instance of this size takes of its host. */
export function amountsOf({ cpus, memoryMiB }: Pick<Allocation, 'cpus' | 'memoryMiB'>): number[] {
  const taken: number[] = [];
  taken[CPUS] = cpus;
  taken[MEMORY_MIB] = memoryMiB;
  taken[INSTANCES] = 1;
  return taken;
}

function integerOf(address: string): number | undefined {
  try {
    return toInteger(address);
  } catch {
    return undefined;
  }
}

/** The allocation that an instance's status says it holds, or undefined when it holds none. */
export function heldAllocation(status: Partial<Allocation> | undefined): Allocation | undefined {
  if (!status?.host || !status.rootDisk) return undefined;
  return {
    host: status.host,
    cpus: status.cpus ?? 0,
    memoryMiB: status.memoryMiB ?? 0,
    interfaces: status.interfaces ?? [],
    rootDisk: status.rootDisk,
  };
}

const text: SchemaNode = { type: 'string' };

function record(properties: Record<string, SchemaNode>): SchemaNode {
  return { type: 'object', required: Object.keys(properties), properties };
}

const schema = record({
  host: text,
  cpus: { type: 'integer' },
  memoryMiB: { type: 'integer' },
  interfaces: {
    type: 'array',
    items: record({
      name: text,
      l3Network: text,
      l3NetworkUid: text,
      macAddress: text,
      addresses: { type: 'array', items: text },
    }),
  },
  rootDisk: record({ id: text, imageUid: text, sha256: text, format: { enum: ['qcow2', 'raw'] } }),
});

export const allocationHolding: HoldingType<Allocation> = {
  kind: 'Instance',
  schema,
  whyNot: (uid, { rootDisk }) => (isRootDiskOf(uid, rootDisk) ? undefined : 'holds a disk that is not of its object'),
  settled: heldAllocation,
  claims: claimsOf,
  networks: ({ interfaces }) => interfaces.map(({ l3NetworkUid }) => l3NetworkUid),
  image: ({ rootDisk }) => rootDisk.sha256,
  digest({ cpus, memoryMiB, interfaces, rootDisk }, into) {
    into.number(cpus);
    into.number(memoryMiB);
    into.text(rootDisk.id);
    into.word(rootDisk.imageUid);
    into.word(rootDisk.format);
    for (const { name, l3Network, macAddress, addresses } of interfaces) {
      into.word(name);
      into.word(l3Network);
      into.text(macAddress);
      for (const address of addresses) into.text(address);
    }
  },
  words: ({ rootDisk, interfaces }) => [rootDisk.sha256, ...interfaces.map(({ l3NetworkUid }) => l3NetworkUid)],
};
