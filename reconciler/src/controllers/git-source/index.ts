import { gitSource } from '@plumb/schemas';
import { keys } from '../../store/keys.ts';
import type { KindModule } from '../kind-module.ts';
import { ANY } from '../watch/rules.ts';
import { gitSourceController } from './controller.ts';
import { idOf } from './declared.ts';
import { gitLooks } from './looks.ts';
import { whyNotRead } from './record.ts';
import { forget } from './write.ts';

export const gitSourceModule: KindModule = {
  kind: gitSource,
  watches: [
    {
      source: 'object',
      of: ANY,
      when: 'an object that it has applied comes, goes or is found otherwise, or a GitSource that it depends on',
      *wake({ key: changed, kind, material, after, before }, { own }) {
        const object = material ? (after ?? before)?.object : undefined;
        if (!object) return;
        const { namespace, name } = object.metadata;
        for (const key of own(gitLooks).watchers(idOf(kind.kind, namespace, name))) if (key !== changed) yield key;
      },
    },
  ],
  keeps: [gitLooks],
  records: [{ prefix: keys.gitCommits, whyNot: whyNotRead }],
  aside: { end: forget },
  alsoReads: [{ kind: ANY, because: 'it applies objects of any kind, and says how they are' }],
  writes: ['GitSource.status', 'the objects that its commits declare'],
  controller: gitSourceController,
};
