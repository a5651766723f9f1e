import { changeSet } from '@plumb/schemas';
import { isReady, isStalled } from '../../runtime/conditions.ts';
import { keys } from '../../store/keys.ts';
import type { KindModule } from '../kind-module.ts';
import { ANY } from '../watch/rules.ts';
import { changeSetController } from './controller.ts';
import { endRecord } from './end.ts';
import { whyNotRead } from './record.ts';

export const changeSetModule: KindModule = {
  kind: changeSet,
  watches: [
    {
      source: 'object',
      of: ANY,
      when: 'another object comes, goes or is found otherwise: those that are under way, since they wait for theirs',
      *wake({ kind, material }, { read }) {
        if (kind.kind === changeSet.kind || !material) return;
        for (const { key, object } of read.list(changeSet.plural))
          if (!isReady(object) && !isStalled(object)) yield key;
      },
    },
  ],
  records: [{ prefix: keys.changeSet(''), whyNot: whyNotRead }],
  aside: { end: endRecord },
  alsoReads: [{ kind: ANY, because: 'it declares objects of any kind, and puts them back' }],
  writes: ['ChangeSet.status', 'the objects that it declares'],
  controller: changeSetController,
};
