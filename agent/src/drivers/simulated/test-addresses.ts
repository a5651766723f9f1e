/**
 * Addresses for the tunnels of simulated hosts, which lead nowhere: from 198.18.0.0/15, the block for tests of network devices
 * (RFC 2544). Several agents with simulated hosts may run beside each other, on one machine or many, and no two hosts of a
 * control plane may have one address: each agent has a part of the block, chosen by what it is called.
 */
import { createHash } from 'node:crypto';

/** Addresses of the block. */
const ALL = 2 ** 17;
const FIRST = 198 * 256 + 18;
/** So many agents with few hosts are told apart as well as can be. */
const LEAST = 256;

/** `seed`: what tells this agent from others. Returns the address of the host with this index. */
export function testAddresses(count: number, seed: string): (index: number) => string {
  // The network's own address and the last one are no hosts'.
  const size = Math.max(LEAST, 2 ** Math.ceil(Math.log2(count + 2)));
  const parts = Math.max(1, Math.floor(ALL / size));
  const part = createHash('sha256').update(seed).digest().readUInt32BE() % parts;
  return (index) => {
    const number = part * size + 1 + index;
    return `${Math.floor(FIRST / 256)}.${(FIRST % 256) + (number >> 16)}.${(number >> 8) & 255}.${number & 255}`;
  };
}
