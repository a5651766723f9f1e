import { expect, test } from 'vitest';
import { FakeClock } from './fake-clock.ts';

test('timers run at their instant, in the order in which they are due, then set', async () => {
  const clock = new FakeClock(1000);
  const ran: string[] = [];
  const note = (what: string) => () => ran.push(`${what}@${clock.now()}`);
  clock.after(20, note('c'));
  clock.after(10, note('a'));
  clock.after(10, note('b'));
  const undo = clock.after(15, note('never'));
  undo();
  clock.after(21, note('later'));
  expect(clock.nextIn).toBe(10);

  await clock.advance(20);
  expect(ran).toEqual(['a@1010', 'b@1010', 'c@1020']);
  expect(clock.now()).toBe(1020);
  expect(clock.timers).toBe(1);
});

test('what a timer starts runs before the time moves on', async () => {
  const clock = new FakeClock(0);
  const at: number[] = [];
  clock.after(5, () => {
    void Promise.resolve().then(() => clock.after(5, () => at.push(clock.now())));
  });
  await clock.advance(100);
  expect(at).toEqual([10]);
  expect(clock.now()).toBe(100);
});

test('advanceAtOnce runs timers without letting promises run', () => {
  const clock = new FakeClock(0);
  let ran = false;
  let settled = false;
  clock.after(5, () => {
    ran = true;
    void Promise.resolve().then(() => {
      settled = true;
    });
  });
  clock.advanceAtOnce(5);
  expect([ran, settled]).toEqual([true, false]);
});
