import type { XmlElement } from './xml-tree.ts';
import { parseXml } from './xml-tree.ts';

type Which = 'definition' | 'running';

/** What libvirt said last of each domain. It mostly says the same again: then nothing is parsed, and nothing compared. */
export class XmlMemory {
  readonly #said = new Map<string, { text: string; tree: XmlElement }>();

  parse(uuid: string, which: Which, text: string): XmlElement {
    const known = this.#said.get(`${uuid} ${which}`);
    if (known?.text === text) return known.tree;
    const tree = parseXml(text);
    this.#said.set(`${uuid} ${which}`, { text, tree });
    return tree;
  }

  knows(uuid: string, which: Which, text: string): boolean {
    return this.#said.get(`${uuid} ${which}`)?.text === text;
  }

  /** Forgets all others. */
  keepOnly(domains: readonly { uuid: string }[]): void {
    const there = new Set(domains.map(({ uuid }) => uuid));
    for (const key of this.#said.keys()) if (!there.has(key.slice(0, key.indexOf(' ')))) this.#said.delete(key);
  }
}
