import { type HandlerOf, saysNothing } from '../handler.ts';

type GroupResource = 'port-filter' | 'ruleset' | 'address-group';

const handlerOf =
  <K extends GroupResource>(kind: K): HandlerOf<K> =>
  ({ groups }) => ({
    foundBy: () => groups.observe(kind),
    ensure: (resource) => groups.ensure<K>(resource),
    remove: (id) => saysNothing(groups.remove(kind, id)),
  });

export const portFilter = handlerOf('port-filter');
export const ruleset = handlerOf('ruleset');
export const addressGroup = handlerOf('address-group');
