/** Files of images that were edited or deleted since stay on a host only as long as somebody needs them. */
import type { Image } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import type { Cached } from '../../runtime/cache.ts';
import { keys } from '../../store/keys.ts';
import type { Context } from '../controller.ts';

/** Many instances end at once; their image is looked at once for all of them. */
const COALESCE_MS = 200;

/** Has the images of what was held looked at, where their file may not be needed any more. */
export function lookAtImages(context: Context, held: readonly Allocation[]): void {
  for (const { host, rootDisk } of held) {
    const image = context.read.byUid(rootDisk.imageUid) as Cached<Image> | undefined;
    const { metadata, spec } = image?.object ?? {};
    if (!image) context.enqueue(keys.object('hosts', undefined, host), COALESCE_MS);
    else if (metadata?.deletionTimestamp || spec?.sha256 !== rootDisk.sha256) context.enqueue(image.key, COALESCE_MS);
  }
}
