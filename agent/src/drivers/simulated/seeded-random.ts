import type { Random } from '@plumb/schemas';

/**
 * Randomness that is the same for the same seed: Marsaglia's xorshift32 over a seed that was mixed first, so that
 * neighbouring seeds give unrelated sequences. For simulation only, never for secrets.
 */
export function seededRandom(seed: number): Random {
  let state = mix(seed >>> 0) || 1;
  return {
    next() {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      state >>>= 0;
      return state / 2 ** 32;
    },
  };
}

/** MurmurHash3's 32 bit finalizer. */
function mix(value: number): number {
  let h = (value + 0x9e3779b9) | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
