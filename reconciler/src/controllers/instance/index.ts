import { instance } from '@plumb/schemas';
import type { KindModule } from '../kind-module.ts';
import { candidates } from './candidates.ts';
import { instanceController } from './controller.ts';
import { spreadGroups } from './spread-groups.ts';
import { waiting } from './waiting.ts';
import { watches } from './watches.ts';

export const instanceModule: KindModule = {
  kind: instance,
  watches,
  keeps: [candidates, spreadGroups, waiting],
  controller: instanceController,
};
