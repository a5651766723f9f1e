import { banner } from '@plumb/schemas';
import type { KindModule } from '../kind-module.ts';
import { onOwnResource } from '../watch/shared.ts';
import { bannerController } from './controller.ts';

export const bannerModule: KindModule = {
  kind: banner,
  watches: [
    {
      source: 'object',
      of: 'Host',
      when: 'one came, went, or has other labels',
      *wake(_, { read }) {
        for (const { key } of read.list(banner.plural)) yield key;
      },
    },
    {
      source: 'host',
      on: 'gathered',
      when: 'hosts attached or detached',
      *wake(_, { read }) {
        for (const { key } of read.list(banner.plural)) yield key;
      },
    },
    onOwnResource(banner),
  ],
  writes: ['Banner.status', 'banners on hosts'],
  controller: bannerController,
};
