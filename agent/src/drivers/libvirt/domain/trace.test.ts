import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DomainTrace } from './trace.ts';

let folder: string;
let trace: DomainTrace;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-trace-'));
  trace = new DomainTrace(folder);
  await trace.begin('a');
});
afterEach(() => rm(folder, { recursive: true }));
const console1 = () => readFile(`${trace.consoleLog('a')}.1`, 'utf8');

test('a console over its bound keeps its newest lines, however much was written at once', async () => {
  const line = (number: number) => `${String(number).padStart(9)} ${'x'.repeat(89)}\n`;
  for (const lines of [21_000, 60_000]) {
    await writeFile(trace.consoleLog('a'), Array.from({ length: lines }, (_, number) => line(number)).join(''));
    await trace.bound('a');
    const kept = await console1();
    expect(kept.endsWith(line(lines - 1))).toBe(true);
    expect(kept.length).toBeLessThanOrEqual(2 * 1024 * 1024);
    expect(kept.length).toBeGreaterThan(2 * 1024 * 1024 - 200);
    expect(kept.split('\n')[0]).toMatch(/^ *\d+ x+$/);
    expect((await stat(trace.consoleLog('a'))).size).toBe(0);
  }
});

test('a console within its bound is left alone, and is kept as that of the run before at the next start', async () => {
  await writeFile(trace.consoleLog('a'), 'login:');
  await trace.bound('a');
  expect(await readFile(trace.consoleLog('a'), 'utf8')).toBe('login:');
  await trace.begin('a');
  expect([await console1(), (await stat(trace.consoleLog('a'))).size]).toEqual(['login:', 0]);
});

test('two who look at one domain at once both write down what they saw; the last one counts', async () => {
  for (let round = 0; round < 30; round++) {
    const reasons = round % 2 === 0 ? (['crashed', 'destroyed'] as const) : (['destroyed', 'crashed'] as const);
    await Promise.all([
      ...reasons.map((reason) => trace.rememberStop('a', reason)),
      trace.rememberForeign('a', [`/x/${round}`]),
      trace.rememberForeign('a', []),
    ]);
    expect(await new DomainTrace(folder).stopReason('a')).toBe(reasons[1]);
  }
  await Promise.all([trace.rememberStop('a', 'shutdown'), trace.remove('a'), trace.rememberStop('a', 'crashed')]);
  expect(await readdir(join(folder, 'domains'))).toEqual([]);
});

test('who still looks at a domain that was removed leaves nothing of it', async () => {
  await trace.rememberStop('a', 'crashed');
  await trace.remove('a');
  await trace.rememberStop('a', 'destroyed');
  await trace.rememberForeign('a', ['/x']);
  expect(await readdir(dirname(dirname(trace.consoleLog('a'))))).toEqual([]);
  await trace.begin('a');
  await trace.rememberStop('a', 'shutdown');
  expect(await new DomainTrace(folder).stopReason('a')).toBe('shutdown');
});

test('a crash that was seen before the guest said that its kernel gave up does not take that back', async () => {
  expect(await Promise.all([trace.rememberStop('a', 'panicked'), trace.rememberStop('a', 'crashed')])).toEqual([
    ...['panicked', 'panicked'],
  ]);
  expect(await trace.stopReason('a')).toBe('panicked');
  // Of another run it says nothing.
  await trace.begin('a');
  expect(await trace.rememberStop('a', 'crashed')).toBe('crashed');
  expect(await trace.stopReason('a')).toBe('crashed');
});
