import { type HandlerOf, saysNothing } from '../handler.ts';

export const image: HandlerOf<'image'> = ({ images }) => ({
  foundBy: 'storage',
  prepare: (image, attention) => images.fetch(image, attention),
  abort: (id) => images.abort(id),
  ensure: (image, attention) => images.ensure(image, attention),
  remove: (id) => saysNothing(images.remove(id)),
});
