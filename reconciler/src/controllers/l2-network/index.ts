import { l2Network, l3Network } from '@plumb/schemas';
import { referenceKeys } from '../../runtime/references.ts';
import type { KindModule } from '../kind-module.ts';
import { onOwnResource } from '../watch/shared.ts';
import { l2NetworkController } from './controller.ts';
import { tunnelEndpoints } from './peers.ts';
import { bridgeProvider } from './resources.ts';

export const l2NetworkModule: KindModule = {
  kind: l2Network,
  watches: [
    {
      source: 'users',
      of: 'L3Network',
      when: 'what uses an L3Network on it came or went',
      wake: ({ kind, object }) => referenceKeys(kind, object),
    },
    {
      source: 'host',
      on: 'gathered',
      when: 'hosts attached, detached or have another address that have it, or are to have it',
      *wake({ sharing }, { read }) {
        yield* sharing.keysOf(l2Network.plural);
        for (const key of sharing.keysOf(l3Network.plural)) {
          const l3 = read.get(key);
          if (l3) yield* referenceKeys(l3.kind, l3.object);
        }
      },
    },
    onOwnResource(l2Network),
  ],
  keeps: [tunnelEndpoints],
  provides: [bridgeProvider],
  writes: ['L2Network.status', 'bridges on hosts'],
  controller: l2NetworkController,
};
