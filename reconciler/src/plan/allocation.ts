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
