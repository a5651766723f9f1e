import { expect, test } from 'vitest';
import { FakeFleet } from '../../fleet/testing/fake-fleet.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { DISCONNECT_GRACE_MS, HostLiveness } from './liveness.ts';

test('a host counts as lost when its grace is over, but not while hosts wait to be let in', async () => {
  const clock = new FakeClock();
  const fleet = new FakeFleet();
  const liveness = new HostLiveness(fleet, clock);
  expect(liveness.graceLeftMs('h')).toBe(DISCONNECT_GRACE_MS);
  fleet.connect('h');
  expect(liveness.graceLeftMs('h')).toBeUndefined();
  fleet.disconnect('h');
  await clock.advance(DISCONNECT_GRACE_MS - 1);
  expect(liveness.graceLeftMs('h')).toBe(1);
  fleet.crowded = true;
  await clock.advance(10_000);
  expect(liveness.graceLeftMs('h')).toBeGreaterThan(1000);
  fleet.crowded = false;
  expect(liveness.graceLeftMs('h')).toBe(0);
});
