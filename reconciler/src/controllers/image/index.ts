import { image, type PlumbObject } from '@plumb/schemas';
import { findCondition, isReady } from '../../runtime/conditions.ts';
import type { KindModule } from '../kind-module.ts';
import { onOwnResource } from '../watch/shared.ts';
import { imageController } from './controller.ts';
import { heirOf } from './heirs.ts';
import { imageProvider } from './resources.ts';

export const imageModule: KindModule = {
  kind: image,
  watches: [
    {
      source: 'host',
      on: 'gathered',
      when: 'hosts attached or detached that have it; any hosts, while none has checked it or it is deleted',
      *wake({ sharing }, { read }) {
        yield* sharing.keysOf(image.plural);
        for (const { key, object } of read.list(image.plural)) if (waitsForHosts(object)) yield key;
      },
    },
    onOwnResource(image),
  ],
  provides: [imageProvider],
  writes: ['Image.status', 'images on hosts'],
  heirOf: (context, { kind, id, owner }) => (kind === 'image' ? heirOf(context, id, owner) : undefined),
  controller: imageController,
};

/** Ready and not verified: no host was there that could have said otherwise. */
function waitsForHosts(object: PlumbObject): boolean {
  return (
    !isReady(object) ||
    object.metadata.deletionTimestamp !== undefined ||
    findCondition(object, 'Ready')?.reason !== 'Verified'
  );
}
