/** What one host with a credential of its own says of others, and over and over: only itself may suffer from it. */
import type { AgentMessage } from '@plumb/schemas/wire/messages.ts';
import { expect, test } from 'vitest';
import { settle } from '../runtime/fake-clock.ts';
import { keys } from '../store/keys.ts';
import type { FakeCall } from './testing/fake-call.ts';
import { fleetFor } from './testing/fleet-rig.ts';

const attach = (host: string, credential = host, highestTerm = 0): AgentMessage => ({
  host,
  body: 'attach',
  attach: { credential, facts: null, highestTerm, runningCommands: [], registerZone: '' },
});

const snapshot = (host: string): AgentMessage => ({ host, body: 'snapshot', snapshot: { resources: [], more: false } });

async function attached(call: FakeCall, host: string): Promise<void> {
  call.attach(host);
  await settle();
  call.say(snapshot(host));
}

test('a host that attaches for made-up ones keeps no other out, and hides no loss', async () => {
  const { fleet, clock, connect, log } = await fleetFor(['bad', 'good', 'late']);
  const [good, ...bad] = [connect('good'), connect('bad'), connect('bad')];
  await attached(good, 'good');
  await attached(bad[0]!, 'bad');
  // Whatever it says, and however often it comes back.
  for (let round = 0; round < 10; round++) {
    for (const call of [...bad, connect('bad')])
      for (let frame = 0; frame < 3; frame++)
        call.say(...Array.from({ length: 5000 }, (_, n) => attach(`made-up-${frame}-${n}`)));
    await clock.advance(50);
  }
  const late = connect('late');
  await attached(late, 'late');
  await clock.advance(20);
  expect(late.last('refused')).toBeUndefined();
  expect(late.last('attached')?.host).toBe('late');
  expect([fleet.host('good')?.connected, fleet.crowded]).toEqual([true, false]);
  expect(fleet.host('bad')?.connected).toBe(false);
  expect(fleet.refusalOf('bad')).toMatchObject({ reason: 'LimitExceeded' });
  expect(bad.every(({ ended }) => ended)).toBe(true);
  expect(log.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  // After its time, it is as any other again.
  for (let second = 0; second < 60; second += 10) {
    good.say({ host: '', body: 'heartbeat', heartbeat: { sequence: second } });
    await clock.advance(10_000);
  }
  const again = connect('bad');
  await attached(again, 'bad');
  expect(fleet.host('bad')?.connected).toBe(true);
  fleet.close();
});

test('a few hosts of an agent that the store does not know do not hurt the others of its stream', async () => {
  const { fleet, connect } = await fleetFor(['a', 'b']);
  const call = connect('a');
  await attached(call, 'a');
  for (let n = 0; n < 500; n++) call.attach(`of-before-${n}`);
  await settle();
  await attached(call, 'b');
  expect([call.ended, fleet.host('a')?.connected, fleet.host('b')?.connected]).toEqual([false, true, true]);
  fleet.close();
});

test('a host that claims a higher term over and over makes the server write and log seldom', async () => {
  const { fleet, store, log, connect } = await fleetFor(['a']);
  const call = connect('a');
  await attached(call, 'a');
  const before = (await store.get(keys.control('term')))?.revision ?? 0;
  for (let n = 0; n < 300; n++) {
    call.say(attach('a', 'a', fleet.term + 1));
    await settle();
  }
  const after = (await store.get(keys.control('term')))!.revision;
  expect(after - before).toBeLessThanOrEqual(20);
  expect(log.filter((line) => line.includes('has obeyed term')).length).toBeLessThanOrEqual(20);
  fleet.close();
});

test('a host that changes its troubles all the time is read slowly', async () => {
  const { fleet, connect } = await fleetFor(['a', 'b']);
  const [loud, other] = [connect('a'), connect('b')];
  await attached(loud, 'a');
  await attached(other, 'b');
  let told = 0;
  fleet.onChange(({ type }) => {
    if (type === 'troubles') told++;
  });
  const report = (blocking: boolean): AgentMessage => ({
    host: 'a',
    body: 'report',
    report: { troubles: [{ reason: 'Broken', message: 'm', blocking }] },
  });
  for (let n = 0; n < 5000; n++) loud.say(report(true));
  expect(told).toBe(1);
  for (let n = 0; n < 5000; n++) loud.say(report(n % 2 === 0));
  expect(told).toBeLessThan(1000);
  expect([loud.isHeld, other.isHeld]).toEqual([true, false]);
  fleet.close();
});

test('a host that tells everything over and over is no news, and is read slowly', async () => {
  const { fleet, connect } = await fleetFor(['a', 'b']);
  const [loud, other] = [connect('a'), connect('b')];
  await attached(loud, 'a');
  await attached(other, 'b');
  let told = 0;
  fleet.onChange(() => told++);
  for (let n = 0; n < 20; n++) loud.say(snapshot('a'));
  expect(told).toBe(0);
  const bridge = (n: number): AgentMessage => {
    const spec = JSON.stringify({ name: 'b', type: 'vxlan', vni: n, mtuBytes: 1450, peers: [] });
    const resources = [{ resource: { kind: 'bridge', id: 'b', owner: 'b', spec }, drift: [], domain: null }];
    return { host: 'a', body: 'snapshot', snapshot: { resources, more: false } };
  };
  for (let n = 1; n <= 1000; n++) loud.say(bridge(n));
  expect(told).toBeGreaterThan(0);
  expect(told).toBeLessThan(100);
  expect([loud.isHeld, other.isHeld, fleet.host('a')?.connected]).toEqual([true, false, true]);
  fleet.close();
});
