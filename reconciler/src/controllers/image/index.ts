import { image } from '@plumb/schemas';
import type { KindModule } from '../kind-module.ts';
import { onOwnResource } from '../watch/shared.ts';
import { imageController } from './controller.ts';

export const imageModule: KindModule = {
  kind: image,
  watches: [
    {
      source: 'host',
      on: 'gathered',
      when: 'hosts attached or detached: all, since one that no host could check yet waits for any',
      wake: (_, { read }) => Array.from(read.list(image.plural), ({ key }) => key),
    },
    onOwnResource(image),
  ],
  controller: imageController,
};
