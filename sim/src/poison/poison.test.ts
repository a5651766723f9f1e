import { expect, test } from 'vitest';
import { round } from './round.ts';

/** `npm run soak -- --fuzz store` plays as many as there is time for. */
const seeds = Array.from({ length: 6 }, (_, n) => `poison ${n}`);
/** They have found: a guest lost with its Host and status, a host that was there anew, a start that never ended, a flow with a disk that is none. */
const found = ['store 2313983140', 'store 3370403445', 'store 4192251404', 'store 538277349'];

test.for([...seeds, ...found])('a damaged store: %s', { timeout: 60_000 }, async (seed) => {
  const { wrong, records } = await round(seed);
  expect(wrong).toEqual([]);
  expect(records).toBeGreaterThan(0);
});
