import { FakeClock } from '@plumb/reconciler/runtime/fake-clock.ts';
import { describe, expect, test } from 'vitest';
import type { Target } from './follow.ts';
import { Progress } from './progress.ts';
import { resourceByAlias } from './resources.ts';
import type { Surroundings } from './surroundings.ts';

const CLEAR = '\r\u001b[2K';

function rig(many: number, interactive: boolean, columns?: number) {
  const clock = new FakeClock();
  const seen = { text: '' };
  const surroundings = {
    clock,
    interactive,
    columns: () => columns,
    err: (text: string) => {
      seen.text += text;
    },
  } as unknown as Surroundings;
  const resource = resourceByAlias('zone');
  const targets = Array.from({ length: many }, (_, i): Target => ({ resource, namespace: undefined, name: `z${i}` }));
  const progress = new Progress(surroundings, targets, 'ready');
  /** What was written since it was last asked. */
  const written = () => {
    const { text } = seen;
    seen.text = '';
    return text;
  };
  return { clock, targets, progress, written };
}

describe('a person', () => {
  test('sees one line that is written over, and what ended above it', async () => {
    const { clock, targets, progress, written } = rig(1, true);
    progress.waits(targets[0]!, 'Placing');
    expect(written()).toBe('');
    await clock.advance(300);
    expect(written()).toBe(`${CLEAR}0 of 1 ready; waiting for zone/z0 (Placing)`);
    progress.waits(targets[0]!, 'Placing');
    await clock.advance(100);
    progress.fails(targets[0]!, 'failed: \u001b[31m');
    progress.close(0);
    expect(written()).toBe(`${CLEAR}zone/z0 failed:  [31m\n0 of 1 ready in 0s\n`);
    expect(clock.timers).toBe(0);
  });

  test('sees counts, pace and time left of many; only failures are named', async () => {
    const { clock, targets, progress, written } = rig(500, true);
    for (const target of targets.slice(300)) progress.waits(target, 'NoCapacity');
    progress.waits(targets[300]!, 'ImagePulling');
    for (let i = 0; i < 200; i++) {
      progress.becomes(targets[i]!);
      await clock.advance(20);
    }
    const lines = written().split(CLEAR);
    expect(lines.at(-1)).toBe('200 of 500 ready, 50/s, about 6s left; 199 NoCapacity, 1 ImagePulling');
    expect(lines.length).toBeLessThan(45);
    progress.fails(targets[400]!, 'failed: NoSuchImage: there is none');
    expect(written()).toContain(`${CLEAR}zone/z400 failed: NoSuchImage: there is none\n`);
    await clock.advance(100);
    expect(written()).toContain('200 of 500 ready, 1 failed');
    progress.close(200);
    expect(written()).toBe(`${CLEAR}200 of 500 ready in 4s, 49/s\n`);
  });

  test('with a narrow terminal sees as much as one line holds', async () => {
    const { clock, progress, written } = rig(1, true, 12);
    await clock.advance(1000);
    expect(written()).toBe(`${CLEAR}0 of 1 read`);
    progress[Symbol.dispose]();
    expect(written()).toBe(CLEAR);
    expect(clock.timers).toBe(0);
  });
});

describe('a log', () => {
  test('has a line every few seconds, and nothing that moves a cursor', async () => {
    const { clock, targets, progress, written } = rig(100, false);
    for (const [i, target] of targets.entries()) {
      if (i < 60) progress.becomes(target);
      if (i < 60) await clock.advance(200);
    }
    await clock.advance(3000);
    expect(written()).toBe(
      '25 of 100 ready, 5.0/s, about 15s left\n50 of 100 ready, 5.0/s, about 10s left\n60 of 100 ready, 3.4/s, about 12s left\n',
    );
    for (const target of targets.slice(60)) progress.becomes(target);
    progress.close(100);
    expect(written()).toBe('100 of 100 ready in 15s, 6.7/s\n');
    expect(clock.timers).toBe(0);
  });

  test('names the few, and is not silent while they take long', async () => {
    const { clock, targets, progress, written } = rig(2, false);
    progress.becomes(targets[0]!);
    progress.waits(targets[1]!, 'ImagePulling');
    await clock.advance(10_000);
    progress.becomes(targets[1]!);
    progress.close(2);
    const waits = '1 of 2 ready; waiting for zone/z1 (ImagePulling)\n';
    expect(written()).toBe(`zone/z0 ready\n${waits}${waits}zone/z1 ready\n2 of 2 ready in 10s\n`);
  });

  test('names the last ones of many, and of a pace that is over it says nothing', async () => {
    const { clock, targets, progress, written } = rig(100, false);
    progress.waits(targets[99]!, 'DeletionBlocked');
    for (const target of targets.slice(0, 99)) {
      progress.becomes(target);
      await clock.advance(50);
    }
    await clock.advance(15_000);
    const lines = written().trim().split('\n');
    expect(lines[0]).toMatch(/^99 of 100 ready, \d+\/s, about 1s left; waiting for zone\/z99 \(DeletionBlocked\)$/);
    expect(lines.at(-1)).toBe('99 of 100 ready; waiting for zone/z99 (DeletionBlocked)');
    progress[Symbol.dispose]();
  });

  test('of a time left says nothing when it has passed and nothing has come', async () => {
    const { clock, targets, progress, written } = rig(301, false);
    progress.waits(targets[300]!, 'ReferenceNotFound');
    for (const target of targets.slice(0, 300)) {
      progress.becomes(target);
      await clock.advance(20);
    }
    await clock.advance(4_000);
    expect(written().trim().split('\n').at(-1)).toBe('300 of 301 ready; waiting for zone/z300 (ReferenceNotFound)');
    progress[Symbol.dispose]();
  });

  test('says nothing of a time left while nothing moves', async () => {
    const { clock, progress, written } = rig(50, false);
    await clock.advance(5000);
    expect(written()).toBe('0 of 50 ready\n');
    progress[Symbol.dispose]();
  });
});
