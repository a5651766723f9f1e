import { host } from '@plumb/schemas';
import type { KindModule } from '../kind-module.ts';
import { ANY } from '../watch/rules.ts';
import { hostController } from './controller.ts';
import { deletionRecords } from './deletion-records.ts';
import { watches } from './watches.ts';

export const hostModule: KindModule = {
  kind: host,
  watches,
  alsoReads: [
    { kind: ANY, because: 'it says whose it is what lives there, and hands the file of one Image on to another' },
  ],
  writes: ['Host.status', 'resources whose owner was deleted'],
  controller: hostController,
  keeps: [deletionRecords],
};
