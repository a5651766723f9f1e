import type { Allocation } from '../plan/allocation.ts';

/** A number below 2^53 that is another for other allocations: two 26 bit halves of two hashes (FNV-1a). */
export function digestOf(allocations: readonly Allocation[]): number {
  let [one, two] = [0x811c9dc5, 0x01000193];
  const feed = (text: string) => {
    for (let i = 0; i < text.length; i++) {
      const code = text.charCodeAt(i);
      one = Math.imul(one ^ code, 0x01000193);
      two = Math.imul(two ^ code, 0x85ebca6b);
      two ^= two >>> 15;
    }
    one = Math.imul(one ^ 0x1ff, 0x01000193);
    two = Math.imul(two ^ 0x1ff, 0x85ebca6b);
  };
  for (const { host, cpus, memoryMiB, interfaces, rootDisk } of allocations) {
    feed(host);
    feed(`${cpus} ${memoryMiB} ${interfaces.length}`);
    feed(rootDisk.id);
    feed(rootDisk.imageUid);
    feed(rootDisk.sha256);
    feed(rootDisk.format);
    for (const { name, l3Network, l3NetworkUid, macAddress, addresses } of interfaces) {
      feed(name);
      feed(l3Network);
      feed(l3NetworkUid);
      feed(macAddress);
      feed(addresses.join(' '));
    }
  }
  return (one >>> 6) * 2 ** 26 + (two >>> 6);
}
