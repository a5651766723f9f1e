import { expect, test } from 'vitest';
import { logLine } from './log.ts';

test('a message is one line of bounded length, whatever it holds', () => {
  const at = new Date('2026-11-30T12:00:00.000Z');
  const forged = 'host sim-0 attached, driver libvirt\n2026-11-30T00:00:00.000Z info  FORGED \x1b]0;title\x07';
  expect(logLine(at, 'info', forged, 200)).toBe(
    '2026-11-30T12:00:00.000Z info  host sim-0 attached, driver libvirt\\n2026-11-30T00:00:00.000Z info  FORGED \\u001b]0;title\\u0007\n',
  );
  expect(logLine(at, 'warn', 'x'.repeat(5_000_000), 300).length).toBeLessThan(340);
});
