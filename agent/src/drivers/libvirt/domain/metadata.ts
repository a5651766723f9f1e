/** What a domain's definition says about the thing that it is: our one element in libvirt's `<metadata>`. */
import type { Thing } from '@plumb/schemas';
import type { XmlElement } from './xml-tree.ts';
import { elementAt } from './xml-tree.ts';

export const METADATA_NAMESPACE = 'https://plumb.dev/xmlns/libvirt/domain/1';
export const METADATA_ELEMENT = 'plumb:thing';

/** Text of our element: the thing as JSON, in plain ASCII so that every XML tool keeps it as it is. */
export function metadataText(thing: Thing<'domain'>): string {
  return JSON.stringify({ owner: thing.owner, spec: thing.spec }).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/**
 * Reads our element in the XML of a domain. Undefined unless it was written by the driver with this key: a domain without
 * it belongs to someone else.
 */
export function readMetadata(domain: XmlElement, key: string, uuid: string): Thing<'domain'> | undefined {
  const mark = elementAt(domain, 'metadata')?.children.find(isMark);
  if (mark?.attributes.key !== key) return undefined;
  try {
    const { owner, spec } = JSON.parse(mark.text);
    return { kind: 'domain', id: uuid, owner, spec };
  } catch {
    return undefined; // Someone else wrote it: not ours.
  }
}

/** Whoever passed the definition on may have chosen another prefix for our namespace. */
function isMark({ name, attributes }: XmlElement): boolean {
  const [prefix, local] = name.includes(':') ? name.split(':') : ['', name];
  return local === 'thing' && attributes[prefix ? `xmlns:${prefix}` : 'xmlns'] === METADATA_NAMESPACE;
}
