/** What a domain's definition says about the resource that it is: our one element in libvirt's `<metadata>`. */
import type { HostResource } from '@plumb/schemas';
import { XMLBuilder } from 'fast-xml-parser';
import type { XmlElement } from './xml-tree.ts';
import { elementAt } from './xml-tree.ts';

export const METADATA_NAMESPACE = 'https://plumb.dev/xmlns/libvirt/domain/1';
export const METADATA_PREFIX = 'plumb';
export const METADATA_ELEMENT = `${METADATA_PREFIX}:thing`;

/** Text of our element: the resource as JSON, in plain ASCII so that every XML tool keeps it as it is. */
export function metadataText(resource: HostResource<'domain'>): string {
  return JSON.stringify({ owner: resource.owner, spec: resource.spec }).replace(
    /[^\x20-\x7e]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** What our element says: the resource, and how it was defined. */
export interface Mark {
  resource: HostResource<'domain'>;
  /** The form of the definition; 1 where it was made before forms were counted. */
  layout: number;
  /** The version of the machine, where it is kept. */
  machine?: string;
  /** Identity of the content of the seed. */
  seed?: string;
}

/** The form of the definitions that are made today. Another one for every change that is not a change of the resource. */
export const LAYOUT = 2;

/**
 * Reads our element in the XML of a domain. Undefined unless it was written by the driver with this key: a domain without
 * it belongs to someone else.
 */
export function readMark(domain: XmlElement, key: string, uuid: string): Mark | undefined {
  const mark = elementAt(domain, 'metadata')?.children.find(isMark);
  if (mark?.attributes.key !== key) return undefined;
  const { layout = '1', machine, seed } = mark.attributes;
  try {
    const { owner, spec } = JSON.parse(mark.text);
    return {
      resource: { kind: 'domain', id: uuid, owner, spec },
      layout: Number(layout),
      ...(machine === undefined ? {} : { machine }),
      ...(seed === undefined ? {} : { seed }),
    };
  } catch {
    return undefined; // Someone else wrote it: not ours.
  }
}

const builder = new XMLBuilder({
  ignoreAttributes: false,
  attributeNamePrefix: '@',
  textNodeName: '#',
  suppressBooleanAttributes: false,
});

/** Our element by itself, as libvirt takes it to note it in a definition: the prefix and the namespace it adds. */
export function markElement({ resource, layout, machine, seed }: Mark, key: string): string {
  return builder.build({
    thing: {
      ...{ '@key': key, '@layout': String(layout) },
      ...(machine === undefined ? {} : { '@machine': machine }),
      ...(seed === undefined ? {} : { '@seed': seed }),
      '#': metadataText(resource),
    },
  });
}

/** Whoever passed the definition on may have chosen another prefix for our namespace. */
function isMark({ name, attributes }: XmlElement): boolean {
  const [prefix, local] = name.includes(':') ? name.split(':') : ['', name];
  return local === 'thing' && attributes[prefix ? `xmlns:${prefix}` : 'xmlns'] === METADATA_NAMESPACE;
}
