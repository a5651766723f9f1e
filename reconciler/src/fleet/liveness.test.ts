import { expect, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { DISCONNECT_GRACE_MS, HostLiveness, LONGEST_EXCUSE_MS } from './liveness.ts';
import { FakeFleet } from './testing/fake-fleet.ts';

function aHostThatLeft() {
  const clock = new FakeClock();
  const fleet = new FakeFleet();
  const liveness = new HostLiveness(fleet, clock);
  expect(liveness.graceLeftMs('h')).toBe(DISCONNECT_GRACE_MS);
  fleet.connect('h');
  expect(liveness.graceLeftMs('h')).toBeUndefined();
  fleet.disconnect('h');
  return { clock, fleet, liveness };
}

test('a host counts as lost when its grace is over, but not while hosts wait to be let in', async () => {
  const { clock, fleet, liveness } = aHostThatLeft();
  await clock.advance(DISCONNECT_GRACE_MS - 1);
  expect(liveness.graceLeftMs('h')).toBe(1);
  fleet.crowded = true;
  await clock.advance(10_000);
  expect(liveness.graceLeftMs('h')).toBeGreaterThan(1000);
  fleet.crowded = false;
  expect(liveness.graceLeftMs('h')).toBe(0);
});

test('a host that is telling what lives there is not lost, and others are', async () => {
  const { clock, fleet, liveness } = aHostThatLeft();
  fleet.telling.add('h');
  await clock.advance(3 * DISCONNECT_GRACE_MS);
  expect(liveness.graceLeftMs('h')).toBeGreaterThan(0);
  expect(liveness.graceLeftMs('other')).toBe(0);
  fleet.telling.delete('h');
  expect(liveness.graceLeftMs('h')).toBe(0);
});

test('nobody counts as lost just after this process was too busy to hear anybody', async () => {
  const { clock, liveness } = aHostThatLeft();
  await clock.advance(2 * DISCONNECT_GRACE_MS);
  liveness.fellBehind();
  const leftMs = liveness.graceLeftMs('h')!;
  expect(leftMs).toBeGreaterThan(0);
  await clock.advance(leftMs);
  expect(liveness.graceLeftMs('h')).toBe(0);
});

test('no crowd hides for ever that a host is gone', async () => {
  const { clock, fleet, liveness } = aHostThatLeft();
  fleet.crowded = true;
  await clock.advance(LONGEST_EXCUSE_MS - 1);
  expect(liveness.graceLeftMs('h')).toBeGreaterThan(0);
  await clock.advance(1);
  expect(liveness.graceLeftMs('h')).toBe(0);
});
