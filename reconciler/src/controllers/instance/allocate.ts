/** Pure: what an instance is to hold. Keeps what it holds already wherever the declaration still allows it. */
import type { Image, Instance, L3Network } from '@plumb/schemas';
import { objectName, type PlumbError, retryable, terminal, within } from '@plumb/schemas';
import { checkRequested, firstFree, noFreeAddress, type Subnet, toAddress } from '../../plan/addressing.ts';
import { ADDRESS, type Allocation, type InterfaceAllocation, MAC, type RootDisk } from '../../plan/allocation.ts';
import { macFromUid } from '../../plan/mac.ts';
import type { Claimed } from './leaving.ts';
import { resourceIds } from './resources.ts';

/** What is taken, and by whom: uids; undefined means free. */
export interface Taken {
  addressHolder(l3Uid: string, address: string): string | undefined;
  macHolder(mac: string): string | undefined;
  /** Where in the ranges the search begins; cf. {@link firstFree}. Absent: at the lowest. */
  readonly begin?: number;
  /** The lowest address at or after `from` that nobody holds (integers). */
  nextFree(l3Uid: string, from: number): number;
  /** Whether a host says that something lives there with it that nobody knows: another address is taken if there is one. */
  isDoubtful(l3Uid: string, address: string): boolean;
}

export interface InterfaceNetwork {
  l3: L3Network;
  subnet: Subnet;
}

export interface AllocateInput {
  instance: Instance;
  host: string;
  cpus: number;
  memoryMiB: number;
  networks: ReadonlyMap<string, InterfaceNetwork>;
  rootDisk: RootDisk;
  /** What the instance holds now, in any allocation. */
  held: readonly Allocation[];
  taken: Taken;
  /** Name of the object with that uid, for sentences. */
  nameOf: (uid: string) => string;
  /** Whether the one with that uid, which holds the claim, is about to give it up. */
  isLeaving: (uid: string, claim: Claimed) => boolean;
}

/**
 * Throws terminal `DuplicateAddress`, `DuplicateMac`, `AddressOutsideCIDR`, `AddressReserved`, or retryable
 * `NoFreeAddress`, `HolderLeaving`.
 */
export function allocate(input: AllocateInput): Allocation {
  const chosen = new Set<string>();
  return {
    host: input.host,
    cpus: input.cpus,
    memoryMiB: input.memoryMiB,
    rootDisk: input.rootDisk,
    interfaces: input.instance.spec.interfaces.map((declared, i) => allocateInterface(input, declared, i, chosen)),
  };
}

/** So many addresses are passed over on the word of hosts: one that claims a whole network does not make others search it. */
const MOST_DOUBTED = 1_000;

type DeclaredInterface = Instance['spec']['interfaces'][number];

function allocateInterface(
  input: AllocateInput,
  declared: DeclaredInterface,
  index: number,
  chosen: Set<string>,
): InterfaceAllocation {
  const network = input.networks.get(declared.name);
  if (!network) throw new Error(`no network resolved for interface ${declared.name}`);
  const l3Uid = network.l3.metadata.uid;
  const before = input.held
    .flatMap((h) => h.interfaces)
    .find((i) => i.name === declared.name && i.l3NetworkUid === l3Uid);
  return {
    name: declared.name,
    l3Network: objectName(network.l3.metadata),
    l3NetworkUid: l3Uid,
    macAddress: within(`spec.interfaces[${index}].macAddress`, () => chooseMac(input, declared, index, before, chosen)),
    addresses: declared.addresses?.length
      ? declared.addresses.map((address, at) =>
          within(`spec.interfaces[${index}].addresses[${at}]`, () =>
            requested(input, declared, network, address, chosen),
          ),
        )
      : (before?.addresses ?? [within(`spec.interfaces[${index}].l3Network`, () => automatic(input, network, chosen))]),
  };
}

function requested(
  input: AllocateInput,
  declared: DeclaredInterface,
  { l3, subnet }: InterfaceNetwork,
  address: string,
  chosen: Set<string>,
): string {
  checkRequested(subnet, address);
  const { uid } = input.instance.metadata;
  const holder = input.taken.addressHolder(l3.metadata.uid, address);
  const key = `${l3.metadata.uid}/${address}`;
  if (chosen.has(key))
    throw terminal(
      'DuplicateAddress',
      `interface ${declared.name}: address ${address} is declared twice in this instance`,
    );
  if (holder !== undefined && holder !== uid)
    throw heldBy(
      input,
      holder,
      { pool: ADDRESS, key },
      'DuplicateAddress',
      `interface ${declared.name}: address ${address} on L3Network ${subnet.name} is held by ${input.nameOf(holder)}`,
      'choose another address or free that one',
    );
  chosen.add(key);
  return address;
}

/** It waits for a holder that gives it up; any other keeps it until a person decides. */
function heldBy(
  { isLeaving }: AllocateInput,
  holder: string,
  claim: Claimed,
  reason: string,
  what: string,
  wayOut: string,
): PlumbError {
  if (isLeaving(holder, claim))
    return retryable('HolderLeaving', `${what}, which gives it up: it waits until that is over`);
  return terminal(reason, `${what}; ${wayOut}`);
}

function automatic(input: AllocateInput, { l3, subnet }: InterfaceNetwork, chosen: Set<string>): string {
  const l3Uid = l3.metadata.uid;
  const unwanted = (value: number) => {
    const address = toAddress(value);
    return (
      chosen.has(`${l3Uid}/${address}`) || input.instance.spec.interfaces.some((i) => i.addresses?.includes(address))
    );
  };
  let doubted = 0;
  const doubtful = (value: number) =>
    doubted < MOST_DOUBTED && input.taken.isDoubtful(l3Uid, toAddress(value)) && ++doubted > 0;
  const nextFree = (from: number) => input.taken.nextFree(l3Uid, from);
  const { begin } = input.taken;
  const value =
    firstFree(subnet, nextFree, (some) => unwanted(some) || doubtful(some), begin) ??
    firstFree(subnet, nextFree, unwanted, begin);
  if (value === undefined) throw noFreeAddress(subnet.name);
  const address = toAddress(value);
  chosen.add(`${l3Uid}/${address}`);
  return address;
}

function chooseMac(
  input: AllocateInput,
  declared: DeclaredInterface,
  index: number,
  before: InterfaceAllocation | undefined,
  chosen: Set<string>,
): string {
  const { uid } = input.instance.metadata;
  const mac = declared.macAddress ?? before?.macAddress ?? freeMac(input, index, chosen);
  // What it holds already nobody else does.
  const holder = mac === before?.macAddress ? uid : input.taken.macHolder(mac);
  if (chosen.has(mac))
    throw terminal('DuplicateMac', `interface ${declared.name}: macAddress ${mac} is declared twice in this instance`);
  if (holder !== undefined && holder !== uid)
    throw heldBy(
      input,
      holder,
      { pool: MAC, key: mac },
      'DuplicateMac',
      `interface ${declared.name}: macAddress ${mac} is held by ${input.nameOf(holder)}`,
      'choose another',
    );
  chosen.add(mac);
  return mac;
}

/** The first of the instance's own addresses that none of its other interfaces has, keeps or asks for, and nobody else. */
function freeMac({ instance, held, taken }: AllocateInput, index: number, chosen: ReadonlySet<string>): string {
  const { uid } = instance.metadata;
  const { interfaces } = instance.spec;
  const isOfAnother = (name: string) => interfaces.some((i, at) => i.name === name && at !== index);
  const isWanted = (mac: string) => interfaces.some((i) => i.macAddress === mac);
  const isKept = (mac: string) =>
    held.some((h) => h.interfaces.some((i) => i.macAddress === mac && isOfAnother(i.name)));
  for (let n = index; ; n++) {
    const mac = macFromUid('02', uid, n);
    const holder = taken.macHolder(mac);
    const free = !chosen.has(mac) && !isWanted(mac) && !isKept(mac) && (holder === undefined || holder === uid);
    if (free || n >= index + 255) return mac;
  }
}

/**
 * The disk that the instance is to start from. `keep`: its declaration was carried out already, so the disk it has stays
 * whatever became of the Image. Throws terminal `DataLossNotAllowed` when another image is declared and losing data is not.
 */
export function chooseRootDisk(instance: Instance, image: Image, held: RootDisk | undefined, keep: boolean): RootDisk {
  const { uid: imageUid, name } = image.metadata;
  const { sha256, format } = image.spec;
  if (!held) return { id: resourceIds.disk(instance.metadata.uid), imageUid, sha256, format };
  if (keep || held.imageUid === imageUid) return held;
  if (!instance.spec.allowDataLoss)
    throw terminal(
      'DataLossNotAllowed',
      `spec.image: starting from ${name} replaces the root disk and all that the guest has written; set spec.allowDataLoss to true, or return to the image it started from`,
    );
  const id = `${resourceIds.disk(instance.metadata.uid)}-${sha256.slice(0, 8)}`;
  return held.id === id ? { ...held, imageUid } : { id, imageUid, sha256, format };
}
