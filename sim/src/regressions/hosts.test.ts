import { expect, test } from 'vitest';
import { gone, type Stage, stage, vm, wait } from './stage.ts';

const PATH = 'hosts/host-2.json';

function conditions(on: Stage, key: string): { type: string; status: string; reason: string }[] {
  return JSON.parse(on.world.disk.entries.get(key)!.value).status.conditions;
}

test('no host pushes the term further than the clock', async () => {
  using on = await stage('a term of the future', 2);
  const { world } = on;
  await on.do(vm('vm'), wait(2_000));
  const { term } = world.control!.control!.fleet;
  const liar = world.machine('host-2');
  liar.kill();
  const kept = liar.files.get(PATH)!;
  liar.files.set(PATH, JSON.stringify({ ...JSON.parse(kept), highestTerm: 2 ** 52 }));
  liar.start();
  await on.do(wait(60_000));
  // It alone is refused, and its Host says why.
  expect(world.control!.control!.fleet.term).toBe(term);
  expect(conditions(on, '/objects/hosts//host-2')[0]).toMatchObject({ status: 'False', reason: 'TermOutOfRange' });
  expect(conditions(on, '/objects/hosts//host-1')[0]).toMatchObject({ status: 'True', reason: 'Connected' });
  liar.kill();
  liar.files.set(PATH, kept);
  expect(await on.wrong()).toEqual([]);
});

test('a host on its way out is told to remove resources only', async () => {
  using on = await stage('a host that leaves', 2);
  const { world } = on;
  await on.do(vm('vm'), wait(2_000));
  const { host } = JSON.parse(world.disk.entries.get('/objects/instances/default/vm')!.value).status;
  await on.do({ do: 'delete', kind: 'Host', name: host }, wait(2_000));
  const made: string[] = [];
  const { onEffect } = world;
  world.onEffect = (where, verb, resource) => {
    if (where === host && verb === 'ensure') made.push(`${resource.kind}/${resource.id}`);
    onEffect(where, verb, resource);
  };
  const spec = { userData: '#cloud-config new', power: 'Stopped' };
  await on.do({ do: 'change', kind: 'Instance', name: 'vm', spec }, wait(30_000));
  expect(made).toEqual([]);
  expect(conditions(on, '/objects/instances/default/vm')[0]).toMatchObject({ status: 'False', reason: 'HostLeaving' });
  await on.do(gone('vm'), wait(10_000));
  expect(await on.wrong()).toEqual([]);
});

test('what went on elsewhere is gone from a host that is back', async () => {
  using on = await stage('a host that is off', 2);
  const { world } = on;
  await on.do(vm('vm', { allowDataLoss: true }), vm('rests'), wait(2_000));
  const read = (name: string) => JSON.parse(world.disk.entries.get(`/objects/instances/default/${name}`)!.value).status;
  const { host, interfaces } = read('vm');
  const off = world.machine(host);
  world.restarts = false;
  off.reboot();
  await on.do(wait(60_000));
  const answer = await world.ask('POST', '/apis/plumb.dev/v1/fences', { host, confirmedOff: true });
  expect(answer?.code).toBe(200);
  await on.do(wait(10_000));
  expect(read('vm').host).not.toBe(host);
  expect(read('vm').interfaces).toEqual(interfaces);
  // It comes back with all that it had, while the control plane and the agent die now and then.
  world.restarts = true;
  off.start();
  await on.do({ do: 'crash', who: 'control', forMs: 300 }, wait(3_000), { do: 'crash', who: host, forMs: 300 });
  expect(await on.wrong()).toEqual([]);
  expect(off.resources().has(`domain/${on.uid('vm')}`)).toBe(false);
  expect(JSON.parse(world.disk.entries.get(`/objects/hosts//${host}`)!.value).status).not.toHaveProperty('fenced');
});
