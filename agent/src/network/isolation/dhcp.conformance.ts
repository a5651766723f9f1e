/** What a guest gets from the server of its network, whatever neighbours, guests before it and accidents do. */
import { readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoRealHost } from '../../drivers/libvirt/real-host.ts';
import { readLeases } from '../leases.ts';
import { busyNetwork } from './busy-network.ts';
import { clientId, DhcpClient } from './dhcp-client.ts';
import { GuestStub } from './guest-stub.ts';
import type { Card } from './world.ts';
import { World } from './world.ts';

const missing = await whyNoRealHost();
const REQUEST = 3;
const INFORM = 8;

describe.skipIf(missing !== undefined)('the DHCP and DNS server of a network', () => {
  let world: World;
  let guest: GuestStub;
  let neighbour: GuestStub;

  beforeAll(async () => {
    world = await World.open();
    const stub = (who: 'guest' | 'neighbour') =>
      new GuestStub(world.taps, world.mouth(who), world.cards[who], world.cards.gateway);
    [guest, neighbour] = [stub('guest'), stub('neighbour')];
  });
  afterAll(async () => {
    await world?.close();
  });

  const given = async () => readLeases(await readFile(join(world.serverFolder, 'given'), 'utf8'));
  const holder = async (address: string) => (await given()).find((lease) => lease.address === address)?.macAddress;
  /** At the tap of a port, with another Ethernet address. */
  const as = (who: 'guest' | 'neighbour', card: Card) =>
    new DhcpClient(world.taps, world.mouth(who), card, world.cards.gateway.ip);
  const changed = (port: HostResource<'port'>, spec: Partial<HostResource<'port'>['spec']>) => ({
    ...port,
    spec: { ...port.spec, ...spec },
  });
  const names = (name: string) => neighbour.resolve(`${name}.lab.internal`);

  test('gives each guest its declared address and name', async () => {
    expect(await guest.dhcp.lease()).toBe(guest.card.ip);
    expect(await neighbour.dhcp.lease()).toBe(neighbour.card.ip);
    expect(await guest.resolve('neighbour.lab.internal')).toEqual([neighbour.card.ip]);
    expect(await guest.resolve('nobody.lab.internal')).toEqual([]);
  });

  test('gives an address to whom it is declared for now, at once, though another leased it for a day', async () => {
    const port = world.resources.ports.guest;
    for (const [number, hostname] of ['again', 'once-more', 'and-again'].entries()) {
      const macAddress = `52:54:00:0a:01:0${number}`;
      await world.network.ensurePort(changed(port, { macAddress, hostname }));
      expect(await holder(guest.card.ip)).toBeUndefined();
      expect(await as('guest', { mac: macAddress, ip: guest.card.ip }).lease()).toBe(guest.card.ip);
    }
    expect(await names('again')).toEqual([]);
    expect(await names('and-again')).toEqual([guest.card.ip]);
    await world.network.ensurePort(port);
    expect(await guest.dhcp.lease()).toBe(guest.card.ip);
  });

  test('forgets the lease and the name of a port that is removed', async () => {
    const port = changed(world.resources.ports.guest, { macAddress: '52:54:00:0a:02:01', addresses: ['10.20.0.50'] });
    const passing = {
      ...port,
      id: '1a57a9ce-0000-4000-8000-000000000050.eth0',
      spec: { ...port.spec, hostname: 'gone' },
    };
    await world.network.ensurePort(passing);
    const ghost = new DhcpClient(
      world.taps,
      world.ghost,
      { mac: passing.spec.macAddress, ip: '10.20.0.50' },
      '10.20.0.1',
    );
    ghost.say(REQUEST, { more: [[50, Buffer.from([10, 20, 0, 50])]] });
    await expect.poll(() => holder('10.20.0.50')).toBe(passing.spec.macAddress);
    await world.network.removePort(passing.id);
    expect(await holder('10.20.0.50')).toBeUndefined();
    expect(await names('gone')).toEqual([]);
  });

  test('gives two guests that change addresses with each other what is declared, at once', async () => {
    const { guest: one, neighbour: two } = world.resources.ports;
    await world.network.ensurePort(changed(one, { addresses: ['10.20.0.60'] }));
    await world.network.ensurePort(changed(two, { addresses: one.spec.addresses }));
    await world.network.ensurePort(changed(one, { addresses: two.spec.addresses }));
    expect(await as('neighbour', { mac: neighbour.card.mac, ip: guest.card.ip }).lease()).toBe(guest.card.ip);
    expect(await as('guest', { mac: guest.card.mac, ip: neighbour.card.ip }).lease()).toBe(neighbour.card.ip);
    await world.network.ensurePort(changed(one, { addresses: ['10.20.0.60'] }));
    await world.network.ensurePort(two);
    await world.network.ensurePort(one);
    expect([await guest.dhcp.lease(), await neighbour.dhcp.lease()]).toEqual([guest.card.ip, neighbour.card.ip]);
  });

  test('takes nothing from a guest by what is said in its name', async () => {
    const { mac, ip } = neighbour.card;
    const forged = [{ chaddr: mac }, { more: [clientId(mac)] }, { chaddr: mac, more: [clientId(mac)] }];
    for (const options of forged) {
      guest.dhcp.decline(ip, options);
      guest.dhcp.decline(ip, options, [[12, Buffer.from('x')]]);
      guest.dhcp.release(ip, options);
      guest.dhcp.release(ip, { ciaddr: guest.card.ip, ...options });
      await guest.dhcp.ask(
        REQUEST,
        { ...options, more: [...(options.more ?? []), [50, Buffer.from(ip.split('.').map(Number))]] },
        100,
      );
      await guest.dhcp.ask(INFORM, { ...options, ciaddr: ip }, 100);
    }
    expect(await neighbour.dhcp.lease({ more: [clientId(mac)] })).toBe(ip);
    expect(await holder(ip)).toBe(mac);
    expect((await guest.dhcp.discover({ more: [[50, Buffer.from(ip.split('.').map(Number))]] }))?.address).toBe(
      guest.card.ip,
    );
  });

  test('gives a guest its address again that has refused it, in whatever order it said so', async () => {
    neighbour.dhcp.decline();
    expect(await neighbour.dhcp.lease()).toBe(neighbour.card.ip);
    // With another option first it reaches the server, which then keeps the address back: until it is looked after.
    neighbour.dhcp.decline(neighbour.card.ip, {}, [[12, Buffer.from('neighbour')]]);
    expect(await neighbour.dhcp.lease()).toBeUndefined();
    expect(await world.network.tend()).toBe(false);
    expect(await neighbour.dhcp.lease()).toBe(neighbour.card.ip);
  });

  test('is told to read what an agent had written and not passed on when it ended', async () => {
    await rm(join(world.serverFolder, 'loaded'));
    const before = await readFile(join(world.serverFolder, 'log'), 'utf8');
    await world.network.ensurePort(world.resources.ports.guest);
    const after = await readFile(join(world.serverFolder, 'log'), 'utf8');
    expect(after.slice(before.length)).toContain(`read ${join(world.serverFolder, 'leases')}`);
  });

  test('answers every question of its guests while ports of others come, take their lease and go', async () => {
    const [guests, perSecond, changes] = process.env.PLUMB_SOAK_NETWORK ? [50, 100, 1_000] : [10, 100, 8];
    const result = await busyNetwork(world, { guests, perSecond, changes, atOnce: 8 });
    const { asked, failed, slowestMs, without, seconds } = result;
    console.log(`${changes} ports in ${seconds.toFixed(1)} s, ${asked} questions, slowest ${slowestMs.toFixed(0)} ms`);
    expect(without).toEqual([]);
    expect(failed).toEqual([]);
    expect(asked).toBeGreaterThan(perSecond * seconds * 0.5);
  });

  test('is missed at the next look when it was killed or its namespace deleted, once, and comes back', async () => {
    const [subnet] = world.resources.subnets;
    const accidents = [
      () => readFile(join(world.serverFolder, 'pid'), 'utf8').then((pid) => process.kill(Number(pid), 'SIGKILL')),
      () => world.run('ip', ['netns', 'del', world.names.namespace(subnet.id)]),
    ];
    for (const accident of accidents) {
      expect(await world.network.tend()).toBe(false);
      await accident();
      await expect.poll(() => world.network.tend()).toBe(true);
      expect(await world.network.tend()).toBe(false);
      expect((await world.network.observe()).find(({ id }) => id === subnet.id)?.drift).not.toEqual([]);
      expect((await world.network.ensureSubnet(subnet)).drift).toEqual([]);
      expect(await neighbour.dhcp.lease()).toBe(neighbour.card.ip);
    }
  });
});
