/** Records and files of a network that say nonsense: one is told or passed over, and hides no other. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { realAmbient } from '@plumb/schemas';
import { beforeEach, describe, expect, test } from 'vitest';
import type { Run } from '../host/command.ts';
import { damagedFolder, damages } from '../host/testing/damages.ts';
import { Dnsmasq } from './dnsmasq.ts';
import { Network } from './network.ts';
import { port, subnet } from './test-resources.ts';

const folder = damagedFolder();
const { clock } = realAmbient();
const [one, two] = ['10000000-0000-4000-8000-000000000001', '10000000-0000-4000-8000-000000000002'];

describe('a network with one damaged record', () => {
  /** What the kernel has: the taps of two ports, and their filter. */
  function kernel(network: Network) {
    const tap = (id: string) => network.names.tap(id);
    const links = [port, second].map((each) => ({
      ...{ ifname: tap(each.id), flags: ['UP', 'LOWER_UP'], mtu: 1450, address: '02:00:00:00:00:01' },
      ifalias: network.names.alias(each),
    }));
    const elements = [port, second].flatMap(({ id, spec }) => [
      { set: { name: 'taps', elem: [tap(id)] } },
      { set: { name: 'macs', elem: [{ concat: [tap(id), spec.macAddress] }] } },
      { set: { name: 'addresses', elem: spec.addresses.map((address) => ({ concat: [tap(id), address] })) } },
    ]);
    return { links, elements };
  }
  const second: HostResource<'port'> = {
    ...port,
    id: `${two}.eth0`,
    owner: two,
    spec: { ...port.spec, macAddress: '52:54:00:00:00:22', addresses: ['10.20.0.22'] },
  };
  let kernelHas: ReturnType<typeof kernel>;
  let flushed = false;
  let loads: string[] = [];
  const run: Run = async (program, args, options) => {
    if (program === 'nft' && args[0] === '-f') loads.push(options?.input ?? '');
    if (program === 'nsenter') throw new Error('there is no namespace');
    if (args.includes('show')) return JSON.stringify(program === 'ip' ? kernelHas.links : []);
    if (args[0] !== '-j') return '';
    return JSON.stringify({ nftables: args.includes('bridge') && !flushed ? kernelHas.elements : [] });
  };
  const open = async () => {
    const network = new Network({
      dataDir: folder.path,
      runDir: join(folder.path, 'run'),
      key: 'k',
      tunnelAddress: '192.0.2.1',
      run,
      clock,
    });
    kernelHas = kernel(network);
    await network.open();
    return network;
  };
  beforeEach(async () => {
    flushed = false;
    loads = [];
    const network = await open();
    for (const each of [port, second]) await network.ensurePort(each);
    loads = [];
  });
  const damaged = join('things/port', `${port.id}.json`);
  const filterOf = (text: string, set: string) => text.split('\n').find((line) => line.includes(`set ${set} {`)) ?? '';

  test.each(damages)(
    'tells all that is there when it is %s; its guest may send what it could, and no more',
    async (_, damage) => {
      await damage(join(folder.path, damaged));
      const network = await open();
      const found = await network.observe();
      expect(found.map(({ id, owner }) => [id, owner]).sort()).toEqual(
        [
          [port.id, one],
          [second.id, two],
        ].sort(),
      );
      expect(found.find(({ id }) => id === port.id)?.drift).toEqual(['its declaration is not on this host']);
      expect(network.unreadable).toEqual([join(folder.path, damaged)]);
      await network.ensurePort(second);
      const text = loads.at(-1)!;
      const tap = network.names.tap(port.id);
      expect(filterOf(text, 'taps')).toContain(tap);
      expect(filterOf(text, 'macs')).toContain(`"${tap}" . ${port.spec.macAddress}`);
      for (const address of port.spec.addresses) expect(filterOf(text, 'addresses')).toContain(`"${tap}" . ${address}`);
      // What it was is known again as soon as it is declared anew.
      await network.ensurePort({ ...port, spec: { ...port.spec, addresses: ['10.20.0.99'] } });
      expect(filterOf(loads.at(-1)!, 'addresses')).not.toContain('10.20.0.12');
      expect(network.unreadable).toEqual([]);
    },
  );

  test('a tap of which neither record nor filter tells may send nothing', async () => {
    await rm(join(folder.path, damaged));
    flushed = true;
    const network = await open();
    await network.ensurePort(second);
    const tap = network.names.tap(port.id);
    expect(filterOf(loads.at(-1)!, 'taps')).toContain(tap);
    for (const set of ['macs', 'addresses', 'dhcp_macs']) expect(filterOf(loads.at(-1)!, set)).not.toContain(tap);
  });

  test('a tap that went leaves nothing in the filter', async () => {
    await rm(join(folder.path, damaged));
    const network = await open();
    await network.observe();
    kernelHas.links.shift();
    await network.removePort(port.id);
    expect(loads.at(-1)).not.toContain(network.names.tap(port.id));
  });
});

describe.each(['pid', 'leases', 'hosts', 'loaded', 'given', 'log'])('the file %s of a DHCP server', (name) => {
  test.each(damages)('that is %s is passed over or replaced', async (_, damage) => {
    const path = join(folder.path, 'run/dhcp', subnet.id, name);
    await mkdir(dirname(path), { recursive: true });
    await damage(path);
    const commands: string[] = [];
    const run: Run = async (program, args) => {
      commands.push([program, ...args].join(' '));
      return '';
    };
    const dnsmasq = new Dnsmasq(join(folder.path, 'run/dhcp'), run, clock);
    expect((await dnsmasq.leases(subnet.id)).size).toBeLessThan(10);
    expect(await dnsmasq.stale(subnet.id, [port])).toEqual([]);
    expect(await dnsmasq.tend(subnet)).toBe(false);
    expect(await dnsmasq.drift(subnet, '/proc/self/ns/net', 1)).toEqual(['its DHCP server does not run']);
    await dnsmasq.ensure(subnet, [port], '/proc/self/ns/net', 1);
    expect(commands.join('\n')).toContain('dnsmasq');
    expect(await dnsmasq.leases(subnet.id)).toContain('52:54:00:00:00:11,10.20.0.11,web-0');
    await dnsmasq.remove(subnet.id);
  });
});
