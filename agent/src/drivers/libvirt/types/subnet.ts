import { type HandlerOf, saysNothing } from '../handler.ts';

export const subnet: HandlerOf<'subnet'> = ({ network }) => ({
  foundBy: 'network',
  ensure: (subnet) => network.ensureSubnet(subnet),
  remove: (id) => saysNothing(network.removeSubnet(id)),
});
