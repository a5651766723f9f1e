import { type HandlerOf, saysNothing } from '../handler.ts';

export const port: HandlerOf<'port'> = ({ network }) => ({
  foundBy: 'network',
  ensure: (port) => network.ensurePort(port),
  remove: (id) => saysNothing(network.removePort(id)),
});
