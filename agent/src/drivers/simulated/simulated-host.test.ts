import { type HostResource, type LiveResource, realAmbient } from '@plumb/schemas';
import { describe, expect, test } from 'vitest';
import type { DriverChange } from '../driver.ts';
import { latencyAround } from './latency.ts';
import { seededRandom } from './seeded-random.ts';
import { SimulatedHost, type SimulatedHostOptions } from './simulated-host.ts';
import { SpecPool } from './spec-pool.ts';

function host(options: Partial<SimulatedHostOptions> = {}) {
  const { clock } = realAmbient();
  return new SimulatedHost({ clock, random: seededRandom(1), cpus: 4, memoryMiB: 4096, ...options });
}

const bridge = (id: string, peers: string[] = []): HostResource<'bridge'> => ({
  kind: 'bridge',
  id,
  owner: id,
  spec: { name: id, type: 'vxlan', vni: 7, mtuBytes: 1450, peers },
});

const domain = (id: string, power: 'Running' | 'Stopped', name = `default.${id}`): HostResource<'domain'> => ({
  kind: 'domain',
  id,
  owner: id,
  spec: { name, cpus: 1, memoryMiB: 96, disks: [], ports: [], power },
});

describe('failures', () => {
  test('happen at the rate that was asked, before or after they take effect, and the same for the same seed', async () => {
    const run = async (seed: number) => {
      const driver = host({ failureRate: 0.3, random: seededRandom(seed) });
      const told: string[] = [];
      driver.onChange((change) => told.push(change.type === 'changed' ? change.resource.id : change.type));
      const failed: string[] = [];
      for (let n = 0; n < 1000; n++) await driver.ensure(bridge(`b${n}`)).catch(() => failed.push(`b${n}`));
      return { failed, told };
    };
    const first = await run(7);
    expect(first.failed.length).toBeGreaterThan(230);
    expect(first.failed.length).toBeLessThan(370);
    const took = first.failed.filter((id) => first.told.includes(id));
    expect(took.length).toBeGreaterThan(first.failed.length * 0.3);
    expect(took.length).toBeLessThan(first.failed.length * 0.7);
    expect(await run(7)).toEqual(first);
    expect(await run(8)).not.toEqual(first);
  });

  test('none, when none were asked for', async () => {
    const driver = host();
    for (let n = 0; n < 200; n++) await driver.ensure(bridge(`b${n}`));
    expect(await driver.observe()).toHaveLength(200);
  });
});

test('latency is spread around its mean', () => {
  const draw = latencyAround(100);
  const random = seededRandom(3);
  const drawn = Array.from({ length: 20_000 }, () => draw(random)).sort((a, b) => a - b);
  expect(drawn.reduce((sum, ms) => sum + ms, 0) / drawn.length).toBeCloseTo(100, -1);
  expect(drawn[0]).toBeGreaterThanOrEqual(50);
  expect(drawn[Math.floor(drawn.length * 0.99)]).toBeGreaterThan(200);
});

test('an operation takes as long as the latency says, operations on different resources at the same time', async () => {
  const waits: (() => void)[] = [];
  const clock = {
    now: () => 0,
    after: (_: number, run: () => void) => {
      waits.push(run);
      return () => {};
    },
  };
  const driver = host({ clock, latency: () => 5 });
  const made = [driver.ensure(bridge('a')), driver.ensure(bridge('b')), driver.remove(bridge('a'))];
  expect(waits).toHaveLength(2);
  expect(await driver.observe()).toEqual([]);
  for (const end of waits.splice(0)) end();
  await Promise.all(made.slice(0, 2));
  expect(await driver.observe()).toHaveLength(2);
  await Promise.resolve();
  expect(waits).toHaveLength(1);
  waits[0]!();
  await made[2];
  expect((await driver.observe()).map(({ id }) => id)).toEqual(['b']);
});

describe('what happens to guests', () => {
  test.each(['crashed', 'destroyed', 'shutdown'] as const)('%s', async (reason) => {
    const driver = host();
    await driver.ensure(domain('d1', 'Running'));
    const told: DriverChange[] = [];
    driver.onChange((change) => told.push(change));
    driver.kill('d1', reason);
    driver.kill('d1', 'crashed');
    const off: LiveResource = { ...domain('d1', 'Running'), drift: [], domain: { state: 'off', reason } };
    expect(told).toEqual([{ type: 'changed', resource: off }]);
    await driver.ensure(domain('d1', 'Stopped'));
    expect((await driver.observe())[0]?.domain).toEqual({ state: 'off', reason });
  });

  test('a name that another of our domains has is not taken for good', async () => {
    const driver = host();
    await driver.ensure(domain('d1', 'Running', 'default.web'));
    await expect(driver.ensure(domain('d2', 'Running', 'default.web'))).rejects.toMatchObject({
      reason: 'NameTaken',
      retry: 'retry',
    });
  });
});

test('what hosts share is held once, and what they do not is kept apart', async () => {
  const pool = new SpecPool();
  const [a, b, c] = [host({ pool }), host({ pool }), host({ pool })];
  await a.ensure(bridge('l2', ['192.0.2.1']));
  await b.ensure(bridge('l2', ['192.0.2.1']));
  await c.ensure(bridge('l2', ['192.0.2.2']));
  const [one, two, other] = await Promise.all([a, b, c].map(async (driver) => (await driver.observe())[0]!.spec));
  expect(two).toBe(one);
  expect(other).toEqual(bridge('l2', ['192.0.2.2']).spec);
});

test('100,000 resources on 1,000 hosts take less than 150 MB', async () => {
  const pool = new SpecPool();
  const before = process.memoryUsage().heapUsed;
  const hosts = Array.from({ length: 1000 }, () => host({ pool }));
  for (const [h, driver] of hosts.entries())
    for (let n = 0; n < 100; n++) await driver.ensure(n === 0 ? bridge('l2') : domain(`${h}-${n}`, 'Running'));
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(150_000_000);
  expect(await hosts[999]!.observe()).toHaveLength(100);
});

test('a disk that was left half made is seen as such, and made whole by the next ensure', async () => {
  const driver = host();
  const image: HostResource<'image'> = {
    kind: 'image',
    id: 'a'.repeat(64),
    owner: 'img',
    spec: { url: 'https://images.test/a', sha256: 'a'.repeat(64), format: 'raw', maxBytes: 1 },
  };
  const disk: HostResource<'disk'> = {
    kind: 'disk',
    id: 'd',
    owner: 'o',
    spec: { image: image.id, imageFormat: 'raw', sizeBytes: 512 },
  };
  driver.leaveHalfMade(disk);
  expect(driver.resources.size).toBe(0); // there was nothing to clone
  await driver.ensure(image);
  driver.leaveHalfMade(disk);
  expect(driver.resources.get('disk/d')?.drift).toHaveLength(1);
  await driver.ensure(disk);
  expect(driver.resources.get('disk/d')?.drift).toEqual([]);
  driver.leaveHalfMade(disk);
  expect(driver.resources.get('disk/d')?.drift).toEqual([]);
});

test('what a host carries from the start is there as if it had been made, and changes like anything else', async () => {
  const asked: number[] = [];
  const carries = () => {
    asked.push(1);
    return [bridge('b'), domain('d', 'Running')];
  };
  const driver = host({ carries });
  const made = host();
  for (const resource of carries()) await made.ensure(resource);
  expect(await driver.observe()).toEqual(await made.observe());
  await driver.observe();
  await driver.ensure(domain('d', 'Running'));
  await driver.remove(bridge('b'));
  expect((await driver.observe()).map(({ id }) => id)).toEqual(['d']);
  const before = asked.length;
  await driver.observe();
  expect(asked.length).toBe(before);
});
