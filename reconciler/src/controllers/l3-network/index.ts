import { l3Network } from '@plumb/schemas';
import { pluralOf } from '../../store/keys.ts';
import type { KindModule } from '../kind-module.ts';
import { onOwnResource } from '../watch/shared.ts';
import { l3NetworkController } from './controller.ts';
import { l3NetworkPreview } from './preview.ts';
import { subnetProvider } from './resources.ts';

export const l3NetworkModule: KindModule = {
  kind: l3Network,
  watches: [
    {
      source: 'claim',
      when: 'an instance came to hold an address on it somewhere, or holds none there any more',
      asUsed: true,
      *wake({ networks }, { read }) {
        for (const uid of networks) {
          const key = read.keyOf(uid);
          if (key !== undefined && pluralOf(key) === l3Network.plural) yield key;
        }
      },
    },
    {
      source: 'host',
      on: 'gathered',
      when: 'hosts attached or detached that have it, or are to have it',
      wake: ({ sharing }) => sharing.keysOf(l3Network.plural),
    },
    onOwnResource(l3Network),
  ],
  provides: [subnetProvider],
  writes: ['L3Network.status', 'subnets on hosts', 'the address of DHCP'],
  preview: l3NetworkPreview,
  controller: l3NetworkController,
};
