/** A host whose own firewall drops what bridges forward, as Docker leaves it: guests are cut off, and the host says so. */
import { readdir } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { whyNoRealHost } from '../../drivers/libvirt/real-host.ts';
import { ManualClock } from '../../drivers/libvirt/rpc/manual-clock.ts';
import { BridgedPackets } from '../bridged-packets.ts';
import { allCases } from './cases/all.ts';
import { World } from './world.ts';

const missing = await whyNoRealHost();

describe.skipIf(missing !== undefined)('a firewall of the host', () => {
  let world: World;
  let clock: ManualClock;
  let bridged: BridgedPackets;

  beforeAll(async () => {
    world = await World.open();
    clock = new ManualClock();
    bridged = new BridgedPackets(world.run, clock, world.names.key);
    await world.setBridgeNetfilter(true);
  });
  afterAll(async () => {
    await world?.close();
  });

  const nft = (commands: string) => world.run('nft', ['-f', '-'], { input: commands });
  const docker = (policy: string) =>
    nft(
      `table ip filter { chain DOCKER-USER { }; chain FORWARD { type filter hook forward priority 0; policy ${policy}; jump DOCKER-USER; }; }`,
    );
  const links = async () => (await world.run('ip', ['-o', 'link', 'show'])).split('\n').length;
  const ping = allCases.find(({ group, what, from }) => group === 'IPv4' && what === 'ping' && from === 'guest')!;
  /** Whether the neighbour hears the guest's ping; ARP passes, so that its mark would be heard. */
  const talk = async () => {
    const { cards } = world;
    const frame = ping.frame({ own: cards.guest, to: cards.neighbour, cards, serial: 1 });
    return world.send('guest', [frame]).then(
      ([heard]) => heard!.has('neighbour'),
      () => false,
    );
  };

  /** The same without a mark, which would not be heard either. */
  const hearsPing = async () => {
    const { cards, taps } = world;
    const frame = ping.frame({ own: cards.guest, to: cards.neighbour, cards, serial: 2 });
    let heard = false;
    const stop = taps.listen((_tap, found) => {
      heard ||= found.subarray(0, frame.length).equals(frame);
    });
    taps.send(world.mouth('guest'), frame);
    await new Promise((resolve) => setTimeout(resolve, 200));
    stop();
    return heard;
  };

  test('that has no chain for what is forwarded, or lets it pass, is no problem', async () => {
    expect(await bridged.problem()).toBeUndefined();
    await docker('accept');
    expect(await bridged.problem()).toBeUndefined();
    expect(await talk()).toBe(true);
  });

  test('whose policy comes to be to drop is told with the chain and the cure, at once and until it is cured', async () => {
    const before = await links();
    await nft('add chain ip filter FORWARD { policy drop; }');
    expect(await hearsPing()).toBe(false);
    for (const _again of [1, 2])
      expect(await bridged.problem()).toMatch(
        /guests .* do not reach each other.*FORWARD of table ip filter, policy drop.*DOCKER-USER/,
      );
    // The kernel takes links away some time after their namespace.
    await expect.poll(links).toBe(before);
    expect((await readdir('/run/netns')).filter((name) => name.startsWith('plumbtry'))).toEqual([]);
    await nft('add rule ip filter DOCKER-USER iifname "pb*" oifname "pb*" accept');
    expect(await bridged.problem()).toBeUndefined();
    expect(await talk()).toBe(true);
  });

  test('that rejects at the end of its rules is found within a minute', async () => {
    await nft(
      'flush chain ip filter DOCKER-USER\nadd chain ip filter FORWARD { policy accept; }\nadd rule ip filter FORWARD drop',
    );
    clock.advance(60_000);
    expect(await bridged.problem()).toContain('policy accept');
  });

  test('that sees nothing of what is bridged is no problem, whatever it drops', async () => {
    await world.setBridgeNetfilter(false);
    expect(await bridged.problem()).toBeUndefined();
    expect(await talk()).toBe(true);
  });
});
