/**
 * Files are kept by their content, so that several Images may be one file on a host. The host knows it under one of them; when
 * that one lets go of it, it is another's.
 */
import type { HostResource, Image } from '@plumb/schemas';
import type { Context } from '../controller.ts';
import { imageResource } from './resources.ts';

/** The file as another Image that declares the same content wants it; undefined when none does. A Ready one comes first. */
export function heirOf(context: Context, sha256: string, formerUid: string): HostResource<'image'> | undefined {
  let found: Image | undefined;
  for (const { object } of context.read.list<Image>('images')) {
    const { metadata, spec } = object;
    if (spec.sha256 !== sha256 || metadata.uid === formerUid || metadata.deletionTimestamp !== undefined) continue;
    if (found === undefined || rank(object) < rank(found)) found = object;
  }
  return found && imageResource(found);
}

function rank(image: Image): string {
  const ready = image.status?.conditions?.some(({ type, status }) => type === 'Ready' && status === 'True');
  return `${ready ? 0 : 1} ${image.metadata.name}`;
}
