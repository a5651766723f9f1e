/** XML of libvirt as a tree that can be walked and compared. */
import { XMLParser } from 'fast-xml-parser';

export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  /** Its own text, without the white space around it. */
  text: string;
}

const ATTRIBUTES = ':@';
const TEXT = '#text';

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: '',
  parseAttributeValue: false,
  parseTagValue: false,
  ignoreDeclaration: true,
  ignorePiTags: true,
});

type Node = Record<string, unknown>;

/** The root element. Throws when the text has none. */
export function parseXml(text: string): XmlElement {
  const roots = elementsOf(parser.parse(text) as Node[]);
  if (roots[0] === undefined) throw new Error('libvirt answered with no XML');
  return roots[0];
}

/** The element on the path from `from`, e.g. `['os', 'type']`; of several of one name the first. */
export function elementAt(from: XmlElement | undefined, ...path: string[]): XmlElement | undefined {
  return path.reduce<XmlElement | undefined>((at, name) => at?.children.find((child) => child.name === name), from);
}

export function childrenNamed(from: XmlElement | undefined, name: string): XmlElement[] {
  return from?.children.filter((child) => child.name === name) ?? [];
}

function elementsOf(nodes: readonly Node[]): XmlElement[] {
  const elements: XmlElement[] = [];
  for (const node of nodes) {
    const name = Object.keys(node).find((key) => key !== ATTRIBUTES);
    if (name === undefined || name === TEXT) continue;
    const inner = node[name] as Node[];
    elements.push({
      name,
      attributes: { ...(node[ATTRIBUTES] as Record<string, string> | undefined) },
      children: elementsOf(inner),
      text: inner.map((child) => String(child[TEXT] ?? '')).join(''),
    });
  }
  return elements;
}
