import { expect, test } from 'vitest';
import { round } from './round.ts';

/** `npm run soak -- --fuzz store` plays as many as there is time for. */
test.for(Array.from({ length: 6 }, (_, n) => `poison ${n}`))(
  'a damaged store: %s',
  { timeout: 60_000 },
  async (seed) => {
    const { wrong, records } = await round(seed);
    expect(wrong).toEqual([]);
    expect(records).toBeGreaterThan(0);
  },
);
