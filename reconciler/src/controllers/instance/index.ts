import { instance } from '@plumb/schemas';
import { keys } from '../../store/keys.ts';
import type { KindModule } from '../kind-module.ts';
import { removeAside } from './aside.ts';
import { candidates } from './candidates.ts';
import { instanceController } from './controller.ts';
import { imageDoubts } from './image-doubts.ts';
import { instancePreview } from './preview.ts';
import { abandonFlow } from './release.ts';
import { spreadGroups } from './spread-groups.ts';
import { waiting } from './waiting.ts';
import { watches } from './watches.ts';

export const instanceModule: KindModule = {
  kind: instance,
  watches,
  keeps: [candidates, spreadGroups, imageDoubts, waiting],
  writes: ['Instance.status', 'addresses, MACs and shares of hosts', 'disks, seeds, ports and domains on hosts'],
  records: [{ prefix: keys.flow(''), drop: abandonFlow }],
  aside: { remove: removeAside },
  preview: instancePreview,
  controller: instanceController,
};
