/** Somebody on the host takes rules of ours out of the kernel's packet filter. */
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { whyNoRealHost } from '../../drivers/libvirt/real-host.ts';
import { World } from './world.ts';

const missing = await whyNoRealHost();

describe.skipIf(missing !== undefined)('a packet filter that somebody', () => {
  let world: World;
  let stop = () => {};
  let lost = 0;
  const table = () => world.names.table();
  const loaded = () =>
    world.run('nft', ['-j', 'list', 'table', 'bridge', table()]).then(
      (text) => text.split('"rule"').length + text.split('"elem"').length,
      () => 0,
    );

  beforeAll(async () => {
    world = await World.open();
    stop = world.network.watchFilter(world.networkNamespace, () => {
      lost += 1;
      void world.network.mendFilter();
    });
    // Until it is heard what goes.
    await vi.waitFor(async () => {
      await world.network.mendFilter();
      await new Promise((resolve) => setTimeout(resolve, 2_500));
      await world.run('nft', ['delete', 'table', 'bridge', table()]);
      await new Promise((resolve) => setTimeout(resolve, 500));
      expect(lost).toBeGreaterThan(0);
    }, 20_000);
    await vi.waitFor(async () => expect(await loaded()).toBeGreaterThan(20), 10_000);
    await new Promise((resolve) => setTimeout(resolve, 500));
  }, 60_000);
  afterAll(async () => {
    stop();
    await world?.close();
  });

  test.each<[string, (t: string) => string[]]>([
    ['flushes with all others', () => ['flush', 'ruleset']],
    ['flushes', (t) => ['flush', 'table', 'bridge', t]],
    ['deletes', (t) => ['delete', 'table', 'bridge', t]],
    ['takes a guest out of', (t) => ['flush', 'set', 'bridge', t, 'taps']],
  ])('%s is whole again at once', async (_, words) => {
    const whole = await loaded();
    const before = lost;
    const begun = performance.now();
    await world.run('nft', words(table()));
    expect(await loaded()).toBeLessThan(whole);
    await vi.waitFor(async () => expect(await loaded()).toBe(whole), { timeout: 10_000, interval: 20 });
    console.log(`${words('').join(' ')}: whole again after ${(performance.now() - begun).toFixed(0)} ms`);
    expect(lost - before).toBe(1);
  });

  test('we change ourselves is not lost', async () => {
    const before = lost;
    const { guest } = world.resources.ports;
    for (const addresses of [['10.20.0.77'], guest.spec.addresses])
      await world.network.ensurePort({ ...guest, spec: { ...guest.spec, addresses } });
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    expect(lost).toBe(before);
  });
});
