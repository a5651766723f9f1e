import { expect, test } from 'vitest';
import { stage, vm, wait } from './stage.ts';

test('an update that took the place of a half done one returns to what was before both', async () => {
  using on = await stage('superseded update');
  await on.do(vm('vm'), wait(3_000));
  const held = () => JSON.parse(on.world.disk.entries.get('/objects/instances/default/vm')!.value).status.interfaces;
  const before = held();
  // The port moves to another network, and there it stops.
  on.hurt((point) => (point.at === 'step' && point.kind === 'domain' && point.when === 'before' ? 'fail' : undefined));
  const interfaces = [{ name: 'eth0', l3Network: 'plain' }];
  const port = () =>
    on.world
      .machine('host-1')
      .resources()
      .get(`port/${on.uid('vm')}.eth0`)?.spec as { addresses: string[] };
  await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec: { interfaces } });
  await on.world.run(1_000, () => port().addresses[0]!.startsWith('10.40.'));
  expect(port().addresses).not.toEqual(before[0].addresses);
  // Another change comes, and fails for good.
  on.hurt((point) =>
    point.at === 'step' && point.kind === 'domain' && point.when === 'before' && point.flow.endsWith('forward')
      ? 'fail terminal'
      : undefined,
  );
  await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec: { offering: 'big', userData: '#!' } }, wait(5_000));
  expect(await on.wrong()).toEqual([]);
  expect(held()).toEqual(before);
  expect(port()).toMatchObject({ addresses: before[0].addresses });
});

test('guest restarted again and again by an update that cannot succeed', async () => {
  for (const fate of ['fail', 'crash both'] as const) {
    using on = await stage(`hopeless restart ${fate}`);
    await on.do(vm('vm'), wait(3_000));
    let disturbed = 0;
    on.hurt((point) => {
      if (point.at !== 'step' || point.kind !== 'domain' || point.flow !== 'update forward') return undefined;
      if (point.when !== 'before') return undefined;
      disturbed++;
      return fate;
    });
    await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec: { offering: 'big' } }, wait(60_000));
    expect([2, 3]).toContain(disturbed);
    const { status } = JSON.parse(on.world.disk.entries.get('/objects/instances/default/vm')!.value);
    expect(status.conditions[0]).toMatchObject({ type: 'Ready', reason: 'AttemptsExhausted' });
    expect(await on.wrong()).toEqual([]);
    const resources = on.world.machine('host-1').resources();
    expect(resources.get(`domain/${on.uid('vm')}`)).toMatchObject({
      spec: { cpus: status.cpus },
      domain: { state: 'running' },
    });
  }
});

test('an update that has destroyed data only goes forward', async () => {
  using on = await stage('past the pivot');
  const other = { url: 'https://images.test/d', sha256: 'd'.repeat(64), format: 'raw' };
  await on.do({ do: 'create', kind: 'Image', name: 'other', spec: other }, vm('vm'), wait(3_000));
  let fails = 0;
  on.hurt((point) => {
    if (point.at !== 'step' || fails > 1) return undefined;
    if (fails === 0 && point.verb === 'remove' && point.kind === 'disk' && point.when === 'after') {
      fails++;
      return 'fail';
    }
    if (fails === 1 && point.verb === 'ensure' && point.kind === 'domain') {
      fails++;
      return 'fail terminal';
    }
    return undefined;
  });
  await on.do(
    { do: 'change', kind: 'Instance', name: 'vm', spec: { image: 'other', allowDataLoss: true } },
    wait(5_000),
  );
  expect(fails).toBe(2);
  expect(await on.wrong()).toEqual([]);
  const { status } = JSON.parse(on.world.disk.entries.get('/objects/instances/default/vm')!.value);
  expect(status.rootDisk.sha256).toBe(other.sha256);
});
