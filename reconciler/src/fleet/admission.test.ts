import { expect, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { Admission } from './admission.ts';

/** Lets hosts ask, and again when they were told to; notes when each came in. */
class Storm {
  readonly clock = new FakeClock();
  readonly admission: Admission;
  readonly cameIn: { host: string; stream: object; at: number }[] = [];
  mostWaiting = 0;

  constructor(options: { perSecond?: number; burst?: number; waiting?: number } = {}) {
    this.admission = new Admission({ clock: this.clock, ...options });
  }

  ask(stream: object, host: string): void {
    const enter = () => {
      this.cameIn.push({ host, stream, at: this.clock.now() });
      this.admission.noteKnown();
    };
    const later = this.admission.ask(stream, host, enter);
    this.mostWaiting = Math.max(this.mostWaiting, this.admission.waiting);
    if (later !== undefined) this.clock.after(later, () => this.ask(stream, host));
  }

  async run(ms: number): Promise<void> {
    for (let passed = 0; passed < ms; passed += 10) await this.clock.advance(10);
  }

  /** The most that came in within any second. */
  busiestSecond(): number {
    return Math.max(...this.cameIn.map(({ at }) => this.cameIn.filter((c) => c.at >= at && c.at < at + 1000).length));
  }
}

test('a few hosts come in at once', () => {
  const storm = new Storm();
  for (let n = 0; n < 99; n++) storm.ask({}, `host-${n}`);
  expect(storm.cameIn).toHaveLength(99);
  expect(storm.admission.crowded).toBe(false);
  expect(storm.clock.timers).toBe(0);
});

test('when many came in a short time, others are expected for a moment longer', async () => {
  const storm = new Storm();
  for (let n = 0; n < 500; n++) storm.ask({}, `host-${n}`);
  expect(storm.cameIn).toHaveLength(500);
  for (let second = 0; second < 30; second++) {
    for (let n = 0; n < 40; n++) storm.ask({}, `slow-${second}-${n}`);
    await storm.run(1000);
    expect(storm.admission.crowded).toBe(true);
  }
  await storm.run(10_000);
  expect(storm.admission.crowded).toBe(false);
  // One that comes and goes all the time says nothing of the others.
  for (let n = 0; n < 150; n++) {
    storm.ask({}, 'restless');
    await storm.run(100);
    expect(storm.admission.crowded).toBe(false);
  }
});

test('a storm of 5,000 agents is let in at the rate that was said, all of them, and leaves nothing behind', async () => {
  const storm = new Storm({ perSecond: 1000, burst: 500 });
  for (let n = 0; n < 5000; n++) storm.ask({}, `host-${n}`);
  expect(storm.cameIn).toHaveLength(500);
  await storm.run(4_400);
  expect(storm.cameIn.length).toBeLessThan(5000);
  await storm.run(200);
  expect(new Set(storm.cameIn.map(({ host }) => host)).size).toBe(5000);
  expect(storm.cameIn).toHaveLength(5000);
  expect(storm.busiestSecond()).toBeLessThanOrEqual(1500);
  expect(storm.admission.waiting).toBe(0);
  expect(storm.clock.timers).toBe(0);
});

test('no more than the bound wait; the others come when they are told, and find room', async () => {
  const storm = new Storm({ perSecond: 1000, burst: 500, waiting: 1000 });
  for (let n = 0; n < 5000; n++) storm.ask({}, `host-${n}`);
  expect(storm.admission.sentAway).toBe(3500);
  await storm.run(6_000);
  expect(storm.cameIn).toHaveLength(5000);
  expect(storm.mostWaiting).toBeLessThanOrEqual(1000);
  expect(storm.busiestSecond()).toBeLessThanOrEqual(1500);
  expect(storm.admission.crowded).toBe(true);
  await storm.run(10_000);
  expect(storm.admission.crowded).toBe(false);
  // Told once: nobody is sent away again and again.
  expect(storm.admission.sentAway).toBe(3500);
});

test('a stream that speaks for thousands does not keep out others', async () => {
  const storm = new Storm({ burst: 10, perSecond: 100 });
  const many = {};
  for (let n = 0; n < 4000; n++) storm.ask(many, `many-${n}`);
  for (let n = 0; n < 50; n++) storm.ask({}, `one-${n}`);
  await storm.run(1_100);
  expect(storm.cameIn.filter(({ stream }) => stream !== many)).toHaveLength(50);
  expect(storm.cameIn.filter(({ stream }) => stream === many).length).toBeGreaterThan(10);
});

test('a host that asks twice comes in once, and the hosts of a stream that ended do not', async () => {
  const storm = new Storm({ burst: 1, perSecond: 100 });
  const [one, other] = [{}, {}];
  for (const host of ['a', 'b', 'b', 'c']) storm.ask(one, host);
  storm.ask(other, 'd');
  storm.admission.leave(one);
  expect(storm.admission.waiting).toBe(1);
  await storm.run(100);
  expect(storm.cameIn.map(({ host }) => host)).toEqual(['a', 'd']);
  storm.ask(other, 'e');
  storm.ask(other, 'e');
  await storm.run(100);
  expect(storm.cameIn.map(({ host }) => host)).toEqual(['a', 'd', 'e', 'e']);
});
