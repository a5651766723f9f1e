/** What hosts need of an Image. */
import type { HostResource, Image } from '@plumb/schemas';
import type { SharedProvider } from '../shared-provider.ts';

export function imageResource(image: Image): HostResource<'image'> {
  const { url, sha256, format, maxSizeMiB } = image.spec;
  return {
    kind: 'image',
    id: sha256,
    owner: image.metadata.uid,
    spec: { url, sha256, format, maxBytes: maxSizeMiB * 1024 * 1024 },
  };
}

/** What was edited since does not declare its former file any more: nothing provides that. */
export const imageProvider: SharedProvider = {
  type: 'image',
  provide(_, id, __, used) {
    const image = used.find(({ object }) => object.kind === 'Image' && object.spec.sha256 === id);
    return image && imageResource(image.object as Image);
  },
};
