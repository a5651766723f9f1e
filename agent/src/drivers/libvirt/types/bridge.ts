import { type HandlerOf, saysNothing } from '../handler.ts';

export const bridge: HandlerOf<'bridge'> = ({ network }) => ({
  foundBy: 'network',
  ensure: (bridge) => network.ensureBridge(bridge),
  remove: (id) => saysNothing(network.removeBridge(id)),
});
