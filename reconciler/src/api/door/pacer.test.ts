import { expect, test } from 'vitest';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { Pacer } from './pacer.ts';

function rig(options: Partial<ConstructorParameters<typeof Pacer>[0]> = {}) {
  const clock = new FakeClock();
  const pacer = new Pacer({ clock, perSecond: 10, burst: 5, allPerSecond: 100, allBurst: 50, ...options });
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
