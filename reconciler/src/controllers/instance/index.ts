import { instance } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import type { KindModule } from '../kind-module.ts';
import { placedController } from '../placed/controller.ts';
import { placedPreview } from '../placed/preview.ts';
import { placedStates } from '../placed/watches.ts';
import { imageDoubts } from './image-doubts.ts';
import { instancePlaced } from './placed.ts';
import { interfacesOf, seedWords } from './preview.ts';
import type { ResolvedInstance } from './references.ts';
import { spreadGroups } from './spread-groups.ts';
import { restartWords } from './standing.ts';
import { watches } from './watches.ts';

export const instanceModule: KindModule = {
  kind: instance,
  watches,
  keeps: [...placedStates, spreadGroups, imageDoubts],
  writes: ['Instance.status', 'addresses, MACs and shares of hosts', 'disks, seeds, ports and domains on hosts'],
  preview: placedPreview(instancePlaced, {
    changedBy: ['InstanceOffering'],
    restart: ({ target, steps }, resolved) =>
      restartWords(target as Allocation, (resolved as ResolvedInstance).references.offering) ?? seedWords(steps),
    interfaces: ({ target }, { metadata }) => interfacesOf(target as Allocation, metadata),
  }),
  placed: instancePlaced,
  controller: (context) => placedController({ name: 'instance', concurrency: 4096 }, context, instancePlaced),
};
