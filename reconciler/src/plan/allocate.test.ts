import type { Instance, L3Network } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { parseSubnet } from './addressing.ts';
import { type AllocateInput, allocate } from './allocate.ts';
import type { Allocation } from './allocation.ts';

const uid = 'fb31231a-df2a-43b8-9bc6-0d0260f52a04';
const l3 = { metadata: { name: 'lab', namespace: 'default', uid: 'net' } } as L3Network;
const network = { l3, subnet: parseSubnet('default/lab', { cidr: '10.20.0.0/24' }) };

function input(interfaces: Instance['spec']['interfaces'], held: Allocation[] = []): AllocateInput {
  const instance = { metadata: { name: 'web', uid }, spec: { interfaces } } as unknown as Instance;
  return {
    ...{ instance, host: 'a', cpus: 1, memoryMiB: 128, held, nameOf: (other: string) => other },
    rootDisk: { id: 'd', imageUid: 'i', sha256: 'a', format: 'raw' },
    networks: new Map(interfaces.map((i) => [i.name, network])),
    taken: { addressHolder: () => undefined, macHolder: () => undefined, nextFree: (_, from) => from },
  };
}

test('an interface that comes before one that stays gets a MAC of its own', () => {
  const first = allocate(input([{ name: 'eth0', l3Network: 'lab' }]));
  const { interfaces } = allocate(
    input(
      [
        { name: 'new', l3Network: 'lab' },
        { name: 'eth0', l3Network: 'lab' },
      ],
      [first],
    ),
  );
  expect(interfaces[1]!.macAddress).toBe(first.interfaces[0]!.macAddress);
  expect(interfaces[0]!.macAddress).not.toBe(interfaces[1]!.macAddress);
});

test('one MAC declared on two interfaces is refused for good', () => {
  const macAddress = '02:00:00:00:00:01';
  const twice = input([
    { name: 'eth0', l3Network: 'lab', macAddress },
    { name: 'eth1', l3Network: 'lab', macAddress },
  ]);
  expect(() => allocate(twice)).toThrow(expect.objectContaining({ reason: 'DuplicateMac', retry: 'terminal' }));
});
