import { type HandlerOf, saysNothing } from '../handler.ts';

export const disk: HandlerOf<'disk'> = ({ disks }) => ({
  foundBy: 'storage',
  ensure: (disk) => disks.ensure(disk),
  remove: (id) => saysNothing(disks.remove(id)),
});
