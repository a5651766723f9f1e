/**
 * Hosts that say of an image that they cannot make it, while another host has it. That is a statement about the host: what never
 * ran there is made elsewhere. When several say so, the image may have changed at its source, and the instance says it.
 */
import type { Image, Instance } from '@plumb/schemas';
import type { FlowRecord } from '../../flow/record.ts';
import { referenceKey } from '../../runtime/references.ts';
import type { Context } from '../controller.ts';
import { whereWhole } from '../image-files.ts';
import type { OwnState } from '../own-state.ts';

/** So many hosts are passed over for one image. */
const MOST = 3;

type Asked = Pick<Context, 'read' | 'fleet' | 'own'>;

export class ImageDoubts {
  /** uid and sum of the image → hosts. */
  readonly #hosts = new Map<string, Set<string>>();

  constructor(fleet: Context['fleet']) {
    // Its agent may be another now, or see another network.
    fleet.onChange((change) => {
      if (change.type === 'host') this.#forget(change.host);
    });
  }

  of(image: Image | undefined): ReadonlySet<string> {
    return (image && this.#hosts.get(keyOf(image))) ?? NONE;
  }

  /** False when enough hosts have said so. */
  note(image: Image, host: string): boolean {
    const hosts = this.#hosts.getOrInsertComputed(keyOf(image), () => new Set());
    if (!hosts.has(host) && hosts.size >= MOST) return false;
    hosts.add(host);
    return true;
  }

  #forget(host: string): void {
    for (const [key, hosts] of this.#hosts) if (hosts.delete(host) && hosts.size === 0) this.#hosts.delete(key);
  }
}

const NONE: ReadonlySet<string> = new Set();

function keyOf({ metadata, spec }: Image): string {
  return `${metadata.uid} ${spec.sha256}`;
}

export const imageDoubts: OwnState<ImageDoubts> = {
  name: 'hosts that cannot make an image which another has',
  begin: ({ fleet }) => new ImageDoubts(fleet),
};

/** Hosts on which the instance is not made, since they cannot make its image. */
export function doubtedHosts(context: Asked, instance: Instance): ReadonlySet<string> {
  return context.own(imageDoubts).of(imageOf(context, instance));
}

/** Whether the host alone cannot make the image, and the instance is made elsewhere; it is remembered. */
export function isDoubtful(context: Asked, instance: Instance, record: FlowRecord, host: string): boolean {
  if (record.purpose !== 'create' || instance.status?.host !== undefined) return false;
  const image = imageOf(context, instance);
  if (image === undefined) return false;
  const other = whereWhole(context, image.metadata.uid, image.spec.sha256);
  return other !== undefined && other !== host && context.own(imageDoubts).note(image, host);
}

function imageOf({ read }: Asked, { metadata, spec }: Instance): Image | undefined {
  return read.get<Image>(referenceKey('Image', metadata.namespace, spec.image))?.object;
}
