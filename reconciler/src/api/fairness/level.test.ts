import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { FakeClock, fakeRandom, settle } from '../../runtime/fake-clock.ts';
import { Level, type LevelLimits } from './level.ts';
import { Overloaded } from './overloaded.ts';

const never = new AbortController().signal;

function rig(limits: Partial<LevelLimits> = {}) {
  const clock = new FakeClock();
  const waits: number[] = [];
  const level = new Level({
    limits: { seats: 2, queue: 10, waitMs: 1000, ...limits },
    clock,
    random: fakeRandom(0),
    waited: (ms) => waits.push(ms),
  });
  /** Asks for seats, holds them for `ms` and gives them back. Resolves with how long it waited, or with the refusal. */
  const ask = async (
    path: string[],
    { ms = 100, seats = 1, room = 1, signal = never } = {},
  ): Promise<number | Overloaded> => {
    const since = clock.now();
    if (!level.tryEnter(seats)) {
      try {
        await level.wait({ path, seats, room }, signal);
      } catch (error) {
        if (error instanceof Overloaded) return error;
        throw error;
      }
    }
    const waited = clock.now() - since;
    clock.after(ms, () => level.leave(seats));
    return waited;
  };
  return { clock, level, waits, ask };
}

describe('a level', () => {
  test('lets in while there are seats, and the rest in turn', async () => {
    const { clock, level, ask, waits } = rig();
    const asked = Array.from({ length: 5 }, () => ask(['u']));
    expect([level.inFlight, level.queued]).toEqual([2, 3]);
    await clock.advance(1000);
    expect(await Promise.all(asked)).toEqual([0, 0, 100, 100, 200]);
    expect([level.inFlight, level.queued, clock.timers]).toEqual([0, 0, 0]);
    expect(waits).toEqual([100, 100, 200]);
  });

  test('begins nothing later than its bound, and says when to come back', async () => {
    const { clock, level, ask } = rig({ seats: 1, waitMs: 250 });
    const asked = Array.from({ length: 5 }, () => ask(['u']));
    await clock.advance(1000);
    const answers = await Promise.all(asked);
    expect(answers.slice(0, 3)).toEqual([0, 100, 200]);
    for (const refused of answers.slice(3)) {
      expect(refused).toBeInstanceOf(Overloaded);
      expect((refused as Overloaded).retryAfterSeconds).toBe(1);
    }
    expect(level.rejected).toEqual({ full: 0, late: 2 });
  });

  test('begins nothing late either when the timer is, as it is in a process that is busy', async () => {
    const clock = new FakeClock();
    const busy = { ms: 0 };
    const wall = { now: () => clock.now() + busy.ms, after: clock.after.bind(clock) };
    const limits = { seats: 1, queue: 10, waitMs: 1000 };
    const level = new Level({ limits, clock: wall, random: fakeRandom(0) });
    expect(level.tryEnter(1)).toBe(true);
    const wait = () => level.wait({ path: ['u'], seats: 1, room: 1 }, never).catch((error: unknown) => error);
    const late = [wait(), wait()];
    busy.ms = 900;
    const young = wait();
    busy.ms = 1500;
    level.leave(1);
    expect(await Promise.all(late)).toEqual([expect.any(Overloaded), expect.any(Overloaded)]);
    expect(await young).toBeUndefined();
    expect([level.inFlight, level.queued, level.rejected.late]).toEqual([1, 0, 2]);
  });

  test('asks for more patience the more there is before a request', async () => {
    const { clock, ask } = rig({ seats: 1, queue: 60, waitMs: 60_000 });
    const asked = Array.from({ length: 61 }, () => ask(['u'], { ms: 500 }));
    await clock.advance(20_000);
    while (asked.length < 101) asked.push(ask(['u'], { ms: 500 }));
    const refused = (await ask(['u'])) as Overloaded;
    expect(refused.retryAfterSeconds).toBe(10);
    await clock.advance(60_000);
    await Promise.all(asked);
  });

  test('a wide request gets its seats though narrow ones keep coming', async () => {
    const { clock, ask } = rig({ seats: 4, queue: 1000, waitMs: 60_000 });
    const narrow = Array.from({ length: 4 }, () => ask(['narrow'], { ms: 50 }));
    const wide = ask(['wide'], { seats: 4 });
    for (let i = 0; i < 20; i++) {
      narrow.push(ask(['narrow'], { ms: 50 }));
      await clock.advance(5);
    }
    expect(await wide).toBe(50);
    await clock.advance(60_000);
    await Promise.all(narrow);
  });

  test('what is wider than the level runs alone', async () => {
    const { clock, level, ask } = rig();
    expect(await ask(['u'], { seats: 99 })).toBe(0);
    const second = ask(['u']);
    await settle();
    expect([level.inFlight, level.queued]).toEqual([1, 1]);
    await clock.advance(200);
    expect(await second).toBe(100);
  });

  test('a client that goes away leaves its place', async () => {
    const { clock, level, ask } = rig({ seats: 1 });
    await ask(['u']);
    const gone = new AbortController();
    const left = ask(['u'], { signal: gone.signal }).catch((error: unknown) => error);
    const stays = ask(['u']);
    gone.abort(new Error('gone'));
    expect(await left).toMatchObject({ message: 'gone' });
    expect(level.queued).toBe(1);
    await clock.advance(100);
    expect(await stays).toBe(100);
  });

  test('when the queue is full, who has most waiting is turned away, and a newcomer is not', async () => {
    const { clock, level, ask } = rig({ seats: 1, queue: 10, waitMs: 60_000 });
    const heavy = Array.from({ length: 40 }, () => ask(['u', 'heavy']));
    const light = ask(['u', 'light']);
    expect(level.queued).toBe(10);
    await clock.advance(10_000);
    expect(await light).toBe(200);
    const refused = (await Promise.all(heavy)).filter((answer) => answer instanceof Overloaded);
    expect(refused).toHaveLength(30);
    expect(level.rejected).toEqual({ full: 30, late: 0 });
  });

  test('serves as before when the load ends', async () => {
    const { clock, level, ask } = rig();
    const load = Array.from({ length: 100 }, () => ask(['u'], { ms: 700 }));
    await clock.advance(5_000);
    await Promise.all(load);
    expect([level.inFlight, level.queued, clock.timers]).toEqual([0, 0, 0]);
    expect(await ask(['u'])).toBe(0);
  });
});

test('a light client is never turned away and never waits longer than the seats and the other clients account for', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.integer({ min: 1, max: 60 }), { minLength: 1, maxLength: 6 }),
      fc.integer({ min: 1, max: 20 }),
      async (seats, heavies, every) => {
        const { clock, level, ask } = rig({ seats, queue: 50, waitMs: 100_000 });
        const others: Promise<unknown>[] = [];
        const load = () => {
          heavies.forEach((many, client) => {
            for (let i = 0; i < many; i++) others.push(ask([`heavy ${client}`], { ms: 10 }));
          });
        };
        for (let round = 0; round < 5; round++) {
          load();
          expect(level.queued).toBeLessThanOrEqual(50);
          const answer = ask(['light'], { ms: 10 });
          await clock.advance(every);
          load();
          await clock.advance(10 * (heavies.length + 2));
          const waited = await answer;
          expect(waited).toBeTypeOf('number');
          // One seat comes free every 10 ms at the latest; each of the other clients may go before it once.
          expect(waited).toBeLessThanOrEqual(10 * (heavies.length + 1));
        }
        await clock.advance(100_000);
        await Promise.all(others);
        expect([level.inFlight, level.queued]).toEqual([0, 0]);
      },
    ),
    { numRuns: 40 },
  );
});
