import { round } from '../../poison/round.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

/** A damaged store, and a control plane that starts with it: tens of records with each input. */
export const store: FuzzTarget<string> = {
  name: 'store',
  withinMs: 60_000,
  make: (dice) => `store ${dice.between(0, 2 ** 32)}`,
  async run(seed) {
    const { wrong } = await round(seed);
    return wrong.length > 0 ? new Wrong(wrong.join('\n')) : undefined;
  },
};
