import { expect, test } from 'vitest';
import type { Action } from '../workload/actions.ts';
import { gone, type Stage, stage, vm, wait } from './stage.ts';

/** Hosts of the instances, by name. */
function hostOf(on: Stage, name: string): string {
  return JSON.parse(on.world.disk.entries.get(`/objects/instances/default/${name}`)!.value).status.host;
}

const recordOf = (on: Stage, uid: string) => on.world.disk.entries.get(`/deleted/${uid}`)?.value;
const isLeft = (on: Stage, host: string, uid: string) =>
  [...on.world.machine(host).resources().values()].some(({ owner }) => owner === uid);
const crash: Action = { do: 'crash', who: 'control', forMs: 300 };

/** Two instances on the same host of two. */
async function together(on: Stage): Promise<{ host: string; first: string; second: string }> {
  await on.do(vm('a'), vm('b'), vm('c'), wait(3_000));
  const host = hostOf(on, 'a');
  const second = hostOf(on, 'b') === host ? 'b' : 'c';
  expect(hostOf(on, second)).toBe(host);
  return { host, first: on.uid('a'), second: on.uid(second) };
}

test('deletion record gone before a host came back', async () => {
  using on = await stage('records of deletions', 2);
  const { world } = on;
  const { host, first } = await together(on);
  const away = world.machine(host);
  world.restarts = false;
  away.reboot();
  await on.do(wait(1_000));
  world.restarts = true; // of all that ends from now on
  await on.do(wait(60_000), gone('a'), wait(5_000));
  const answer = await world.ask('POST', `/apis/plumb.dev/v1/flows/${first}/abandon`, {});
  expect(answer?.code).toBe(200);
  await on.do(wait(200_000), crash, wait(200_000));
  // Its host has not told what lives there: the record stays, whoever looks.
  expect(world.disk.entries.has('/objects/instances/default/a')).toBe(false);
  expect(recordOf(on, first)).toBeDefined();
  expect(isLeft(on, host, first)).toBe(true);
  away.start();
  await on.do(wait(200_000));
  expect(isLeft(on, host, first)).toBe(false);
  expect(recordOf(on, first)).toBeUndefined();
  expect([...world.disk.entries.keys()].filter((key) => key.startsWith('/deleted/'))).toEqual([]);
  expect(await on.wrong()).toEqual([]);
});

test('deletion record gone before a host that was off came back', async () => {
  using on = await stage('records of deletions on a host that is off', 2);
  const { world } = on;
  const { host, first } = await together(on);
  const other = ['a', 'b', 'c'].find((name) => hostOf(on, name) !== host)!;
  const elsewhere = on.uid(other);
  const away = world.machine(host);
  world.restarts = false;
  away.reboot();
  await on.do(wait(1_000));
  world.restarts = true; // of all that ends from now on
  await on.do(wait(60_000));
  await world.ask('POST', '/apis/plumb.dev/v1/fences', { host, confirmedOff: true });
  await on.do(gone('a'), gone(other), wait(200_000), crash, wait(200_000));
  // What was never there does not wait for it.
  expect(recordOf(on, elsewhere)).toBeUndefined();
  expect(JSON.parse(recordOf(on, first)!).left).toEqual([host]);
  away.start();
  await on.do(wait(200_000));
  expect(isLeft(on, host, first)).toBe(false);
  expect(recordOf(on, first)).toBeUndefined();
  expect(await on.wrong()).toEqual([]);
});

test('deletion record kept for a host that was deleted', async () => {
  using on = await stage('records of deletions and a host that goes', 2);
  const { world } = on;
  const { host, first, second } = await together(on);
  world.restarts = false;
  world.machine(host).reboot();
  await on.do(wait(60_000));
  await world.ask('POST', '/apis/plumb.dev/v1/fences', { host, confirmedOff: true });
  const names = ['a', 'b', 'c'].filter((name) => hostOf(on, name) === host);
  await on.do(...names.map(gone), wait(200_000));
  expect(recordOf(on, first)).toBeDefined();
  await on.do({ do: 'delete', kind: 'Host', name: host }, wait(200_000));
  expect(world.disk.entries.has(`/objects/hosts//${host}`)).toBe(false);
  expect([first, second].map((uid) => recordOf(on, uid))).toEqual([undefined, undefined]);
});
