import { expect, test } from 'vitest';
import type { DomainSpec } from './domain.ts';
import { bootedFacts, domainChange, processorRoom } from './domain-change.ts';

const eth = (name: string, last: string) => ({ id: `u.${name}`, macAddress: `52:54:00:00:00:${last}`, mtuBytes: 1450 });
const [eth0, eth1, lan] = [eth('eth0', '11'), eth('eth1', '12'), eth('lan', '12')];
const web: DomainSpec = {
  name: 'default.web',
  cpus: 1,
  memoryMiB: 128,
  disks: ['u.root'],
  seed: 'u.seed',
  ports: [eth0, eth1],
  power: 'Running',
};
const { seed: _seed, ...seedless } = web;
const withPorts = (...ports: typeof web.ports) => ({ ...web, ports });

test.each<[string, DomainSpec, ReturnType<typeof domainChange>]>([
  ['nothing', structuredClone(web), 'none'],
  ['an interface more', withPorts(eth0, eth1, eth('eth2', '13')), 'live'],
  ['an interface before the others', withPorts(eth('eth2', '13'), eth0, eth1), 'live'],
  ['an interface less', withPorts(eth1), 'live'],
  ['no interface at all', withPorts(), 'live'],
  ['an interface for another', withPorts(eth0, eth('eth2', '13')), 'live'],
  ['another name for an interface, with its address', withPorts(eth0, lan), 'live'],
  ['another order of interfaces', withPorts(eth1, eth0), 'live'],
  ['another Ethernet address', withPorts(eth0, eth('eth1', '99')), 'restart'],
  ['another MTU', withPorts(eth0, { ...eth1, mtuBytes: 1500 }), 'restart'],
  ['less memory', { ...web, memoryMiB: 96 }, 'restart'],
  ['another disk', { ...web, disks: ['u.root-2'] }, 'restart'],
  ['no seed', seedless, 'restart'],
  ['another name', { ...web, name: 'default.www' }, 'restart'],
  ['being off', { ...web, power: 'Stopped' }, 'restart'],
  ['an interface more and less memory', { ...withPorts(eth0, eth1, eth('eth2', '13')), memoryMiB: 96 }, 'restart'],
])('%s', (_what, after, change) => {
  expect(domainChange(web, after)).toBe(change);
  expect(domainChange(after, web)).toBe(change);
});

test('processors come live as far as the run takes them, and do not go', () => {
  const sized = (cpus: number) => ({ ...web, cpus });
  const { maxCpus } = bootedFacts(1);
  expect(maxCpus).toBe(4);
  expect([2, 4, 5].map((cpus) => domainChange(sized(1), sized(cpus), { maxCpus: 4 }))).toEqual([
    'live',
    'live',
    'restart',
  ]);
  expect(domainChange(sized(2), sized(1), { maxCpus: 4 })).toBe('restart');
  // Of a run of which nothing is known.
  expect(domainChange(sized(1), sized(2))).toBe('restart');
  expect(domainChange(sized(2), { ...sized(4), memoryMiB: 256 }, { maxCpus: 4 })).toBe('restart');
  expect(domainChange(sized(1), { ...sized(2), ports: [eth0] }, { maxCpus: 4 })).toBe('live');
});

test('room for processors is four times what is there, up to 64', () => {
  expect([1, 2, 16, 17, 64, 100].map(processorRoom)).toEqual([4, 8, 64, 64, 64, 100]);
  expect(bootedFacts(64)).toEqual({ state: 'running', reason: 'booted' });
});
