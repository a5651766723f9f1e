import type { Random } from '@plumb/schemas';
import { expect, test } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { Pacer } from './pacer.ts';

/** A linear congruential generator: the same numbers each time. */
function seeded(): Random {
  let state = 9;
  return {
    next() {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
      return state / 2 ** 32;
    },
  };
}

function rig(options: Partial<ConstructorParameters<typeof Pacer>[0]> = {}) {
  const clock = new FakeClock();
  const pacer = new Pacer({
    clock,
    random: { next: () => 0 },
    perSecond: 10,
    burst: 5,
    allPerSecond: 100,
    allBurst: 50,
    mostOrigins: 16_384,
    makeRoom: () => true,
    isKnown: () => false,
    ...options,
  });
  const begun: string[] = [];
  const ask = (origin: string, name: string) => pacer.ask(origin, () => begun.push(name));
  return { clock, pacer, begun, ask };
}

test('an origin begins some at once, then at its pace; who comes last goes first', async () => {
  const { clock, begun, ask } = rig();
  for (let n = 0; n < 100; n++) ask('flood', `f${n}`);
  expect(begun).toEqual(['f0', 'f1', 'f2', 'f3', 'f4']);
  await clock.advance(1050);
  expect(begun.slice(5)).toEqual(Array.from({ length: 10 }, (_, n) => `f${99 - n}`));
  // Somebody else at the same address is served before those who wait already.
  ask('flood', 'kubectl');
  await clock.advance(100);
  expect(begun.at(-1)).toBe('kubectl');
});

test('origins take turns, and one that floods does not use up what there is for all', async () => {
  const { clock, begun, ask } = rig({ perSecond: 1000, burst: 1000 });
  for (let n = 0; n < 500; n++) ask('flood', 'flood');
  expect(begun).toHaveLength(50);
  ask('other', 'other');
  await clock.advance(20);
  expect(begun.slice(50)).toContain('other');
});

test('who is overtaken by the next connection of a flood is not lost behind it', async () => {
  const random = seeded();
  const { clock, begun, ask } = rig({ random, perSecond: 100, burst: 1 });
  const flood = () => void ask('nat', 'flood');
  for (let n = 0; n < 1000; n++) flood();
  const waits: number[] = [];
  for (let n = 0; n < 200; n++) {
    const from = begun.length;
    ask('nat', `client-${n}`);
    // Each that begins comes again at once, and is then the newest.
    for (let turn = 0; turn < 500 && begun.at(-1) !== `client-${n}`; turn++) {
      flood();
      await clock.advance(10);
    }
    waits.push(begun.length - from);
  }
  waits.sort((a, b) => a - b);
  expect(waits[100]).toBeLessThan(20);
  expect(waits[198]).toBeLessThan(150);
});

test('nobody begins while there is no room, and who is known goes first when there is', async () => {
  let room = 0;
  const { clock, begun, ask } = rig({ makeRoom: () => room > 0, isKnown: (origin) => origin === 'known' });
  for (let n = 0; n < 5; n++) ask(`stranger-${n}`, 'stranger');
  ask('known', 'known');
  await clock.advance(1000);
  expect(begun).toEqual([]);
  room = 1;
  await clock.advance(20);
  expect(begun[0]).toEqual('known');
});

test('handshakes that end with a credential do not count: many agents of one address come back at once', async () => {
  const { clock, pacer, begun } = rig();
  for (let n = 0; n < 500; n++)
    pacer.ask('nat', () => {
      begun.push('agent');
      clock.after(1, () => pacer.refund('nat'));
    });
  await clock.advance(1200);
  expect(begun).toHaveLength(500);
});

test('who has gone begins nothing, and when nobody waits there is no timer', async () => {
  const { clock, begun, ask } = rig();
  const leave = Array.from({ length: 10 }, (_, n) => ask('a', `${n}`));
  for (const gone of leave) gone();
  await clock.advance(5000);
  expect(begun).toHaveLength(5);
  expect(clock.timers).toBe(0);
});

test('more origins than are remembered share one pace', async () => {
  const { begun, ask } = rig({ allPerSecond: 1e6, allBurst: 1e6, burst: 1 });
  for (let n = 0; n < 16_384; n++) ask(`o${n}`, 'x');
  expect(begun).toHaveLength(16_384);
  for (let n = 0; n < 100; n++) ask(`new${n}`, 'x');
  expect(begun).toHaveLength(16_385);
});
