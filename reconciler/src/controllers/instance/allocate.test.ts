import type { Instance, L3Network } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { parseSubnet } from '../../plan/addressing.ts';
import { ADDRESS, type Allocation, MAC } from '../../plan/allocation.ts';
import { type AllocateInput, allocate } from './allocate.ts';

const uid = 'fb31231a-df2a-43b8-9bc6-0d0260f52a04';
const l3 = { metadata: { name: 'lab', namespace: 'default', uid: 'net' } } as L3Network;
const network = { l3, subnet: parseSubnet('default/lab', { cidr: '10.20.0.0/24' }) };

function input(interfaces: Instance['spec']['interfaces'], held: Allocation[] = []): AllocateInput {
  const instance = { metadata: { name: 'web', uid }, spec: { interfaces } } as unknown as Instance;
  return {
    ...{ instance, host: 'a', cpus: 1, memoryMiB: 128, held, nameOf: (other: string) => other, isLeaving: () => false },
    rootDisk: { id: 'd', imageUid: 'i', sha256: 'a', format: 'raw' },
    networks: new Map(interfaces.map((i) => [i.name, network])),
    taken: {
      addressHolder: () => undefined,
      macHolder: () => undefined,
      nextFree: (_, from) => from,
      isDoubtful: () => false,
    },
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

test('an address with which something lives that nobody knows is taken only when there is no other', () => {
  const asked = input([{ name: 'eth0', l3Network: 'lab' }]);
  const addressOf = (isDoubtful: (value: string) => boolean) =>
    allocate({ ...asked, taken: { ...asked.taken, isDoubtful: (_l3, address) => isDoubtful(address) } }).interfaces[0]!
      .addresses;
  expect(addressOf((address) => address === '10.20.0.1')).toEqual(['10.20.0.2']);
  expect(addressOf(() => true)).toEqual(['10.20.0.1']);
  // Who claims them all does not have others search them all.
  let looked = 0;
  const wide = { l3, subnet: parseSubnet('default/lab', { cidr: '10.0.0.0/8' }) };
  const isDoubtful = () => ++looked > 0;
  allocate({ ...asked, networks: new Map([['eth0', wide]]), taken: { ...asked.taken, isDoubtful } });
  expect(looked).toBeLessThan(2_000);
  // What a person declares is his own word.
  const declared = input([{ name: 'eth0', l3Network: 'lab', addresses: ['10.20.0.9'] }]);
  expect(
    allocate({ ...declared, taken: { ...declared.taken, isDoubtful: () => true } }).interfaces[0]!.addresses,
  ).toEqual(['10.20.0.9']);
});

test.each(['address', 'MAC'])(
  'an %s that is being given up is waited for, and any other is refused for good',
  (what) => {
    const declared = what === 'MAC' ? { macAddress: '02:00:00:00:00:01' } : { addresses: ['10.20.0.9'] };
    const asked = input([{ name: 'eth0', l3Network: 'lab', ...declared }]);
    const taken = {
      ...asked.taken,
      addressHolder: () => 'other',
      macHolder: (mac: string) => (mac === '02:00:00:00:00:01' ? 'other' : undefined),
    };
    const claims: unknown[] = [];
    const isLeaving = (_uid: string, claim: unknown) => claims.push(claim) > 0;
    expect(() => allocate({ ...asked, taken, isLeaving })).toThrow(
      expect.objectContaining({ reason: 'HolderLeaving', retry: 'retry' }),
    );
    expect(claims).toEqual([
      { pool: what === 'MAC' ? MAC : ADDRESS, key: what === 'MAC' ? '02:00:00:00:00:01' : 'net/10.20.0.9' },
    ]);
    expect(() => allocate({ ...asked, taken })).toThrow(expect.objectContaining({ retry: 'terminal' }));
  },
);
