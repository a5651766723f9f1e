/** What a domain's definition says about the thing that it is: our one element in libvirt's `<metadata>`. */
import type { Thing } from '@plumb/schemas';
import { XMLParser } from 'fast-xml-parser';

export const METADATA_NAMESPACE = 'https://plumb.dev/xmlns/libvirt/domain/1';
export const METADATA_ELEMENT = 'plumb:thing';

/** Text of our element: the thing as JSON, in plain ASCII so that every XML tool keeps it as it is. */
export function metadataText(thing: Thing<'domain'>): string {
  return JSON.stringify({ owner: thing.owner, spec: thing.spec }).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

const parser = new XMLParser({
  ignoreAttributes: false,
  attributeNamePrefix: '',
  textNodeName: 'text',
  parseTagValue: false,
});

/** Reads our element as libvirt returns it. Undefined unless it was written by the driver with this key. */
export function readMetadata(xml: string, key: string, uuid: string): Thing<'domain'> | undefined {
  try {
    const root = Object.values(parser.parse(xml))[0] as { key?: string; text?: string };
    if (root.key !== key || root.text === undefined) return undefined;
    const { owner, spec } = JSON.parse(root.text);
    return { kind: 'domain', id: uuid, owner, spec };
  } catch {
    return undefined; // Someone else wrote it: not ours.
  }
}
