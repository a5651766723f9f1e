import { type HandlerOf, saysNothing } from '../handler.ts';

export const seed: HandlerOf<'seed'> = ({ seeds }, { seedReplaced }) => ({
  foundBy: 'storage',
  // Its domain may run with the one before.
  ensure: (seed) => seeds.ensure(seed).finally(() => seedReplaced(seed.owner)),
  remove: (id) => saysNothing(seeds.remove(id)),
});
