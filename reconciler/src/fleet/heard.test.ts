import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { isPrintable } from '@plumb/schemas/meta/printable.ts';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { factsFrom } from './heard.ts';

test('whatever an agent says of itself, it becomes whole numbers and short printable texts', () => {
  const text = fc.oneof(fc.string({ unit: 'binary', maxLength: 200 }), fc.constant('\u001b[2J\n'.repeat(1_000)));
  const number = fc.oneof(fc.double(), fc.bigInt().map(Number), fc.constantFrom(2 ** 32 - 1, 2 ** 53, 2 ** 64, -1));
  fc.assert(
    fc.property(text, text, text, number, number, (driver, agentVersion, tunnelAddress, cpus, memoryMib) => {
      const wire = { driver, agentVersion, tunnelAddress, cpus, memoryMib };
      const facts = factsFrom(wire, '192.0.2.1', defaultServerLimits);
      for (const said of [facts.driver, facts.agentVersion, facts.tunnelAddress]) {
        expect(said.length).toBeLessThanOrEqual(defaultServerLimits.hostTextCharacters + 1);
        expect(isPrintable(said)).toBe(true);
      }
      for (const count of [facts.cpus, facts.memoryMiB]) expect(Number.isSafeInteger(count) && count >= 0).toBe(true);
      expect(facts.streamAddress).toBe('192.0.2.1');
    }),
    { numRuns: 40 },
  );
});

test('an agent that says nothing has nothing', () => {
  expect(factsFrom(null, '', defaultServerLimits)).toEqual({
    ...{ driver: '', agentVersion: '', cpus: 0, memoryMiB: 0, tunnelAddress: '', streamAddress: '' },
  });
});
