/** Whether somebody edited a domain: what libvirt says of it, beside the definition that we would make in the same form. */
import { differences, type View } from './compare.ts';
import type { DomainParts } from './definition.ts';
import { domainXml } from './definition.ts';
import { diskEdits } from './disk-sources.ts';
import type { Mark } from './metadata.ts';
import type { XmlElement } from './xml-tree.ts';
import { elementAt, parseXml } from './xml-tree.ts';

export interface EditsOptions {
  /** Where the parts of a domain lie; undefined when the host's records do not tell. */
  partsOf: (resource: Mark['resource']) => DomainParts | undefined;
  log: (line: string) => void;
}

/**
 * What is found right after a definition of ours was made is libvirt's own doing and no edit, whatever version of libvirt
 * adds it: it is learned, and not told again.
 */
export class Edits {
  readonly #options: EditsOptions;
  readonly #libvirts = new Map<View, Set<string>>([
    ['definition', new Set()],
    ['running', new Set()],
  ]);
  /** By the tree that was looked at, which is the same as long as libvirt says the same. */
  readonly #known = new WeakMap<XmlElement, { of: string; sentences: string[] }>();

  constructor(options: EditsOptions) {
    this.#options = options;
  }

  /** How a definition differs from ours, as sentences. Disks that are not ours are left out. */
  of(definition: XmlElement, mark: Mark): string[] {
    return this.#unlearned('definition', this.#compare('definition', definition, mark));
  }

  /** How what runs differs from what was started. `mark`: that of what runs. */
  ofRunning(running: XmlElement, mark: Mark): string[] {
    return this.#unlearned('running', this.#compare('running', running, mark));
  }

  /** To be told what libvirt says right after we defined or started the domain. */
  learn(view: View, domain: XmlElement, mark: Mark): void {
    const known = this.#libvirts.get(view)!;
    for (const sentence of this.#compare(view, domain, mark)) {
      if (!known.has(sentence)) this.#options.log(`libvirt does this by itself, and it is no edit: ${sentence}`);
      known.add(sentence);
    }
  }

  #unlearned(view: View, sentences: readonly string[]): string[] {
    const known = this.#libvirts.get(view)!;
    return sentences.filter((sentence) => !known.has(sentence));
  }

  #compare(view: View, found: XmlElement, mark: Mark): string[] {
    const parts = this.#options.partsOf(mark.resource);
    if (parts === undefined) return [];
    const of = JSON.stringify([parts, mark]);
    const known = this.#known.get(found);
    if (known?.of === of) return known.sentences;
    const sentences = [...differences(asDefined(mark, parts, found), found, view), ...diskEdits(found, parts)];
    this.#known.set(found, { of, sentences });
    return sentences;
  }
}

/** The definition in the form in which it was made, on the machine that the guest has. */
function asDefined({ resource, layout, machine }: Mark, parts: DomainParts, found: XmlElement): XmlElement {
  const has = elementAt(found, 'os', 'type')?.attributes.machine;
  const accelerator = found.attributes.type === 'kvm' ? 'kvm' : 'tcg';
  return parseXml(domainXml(resource, { ...parts, layout, accelerator, machine: meant(machine, has) }));
}

/** `q35` stands for whatever was the newest version then: whichever of them it has is the one that was meant. */
function meant(machine: string | undefined, has = ''): string {
  const isVersion = /^pc-q35-/.test(has);
  return (machine === undefined || machine === 'q35') && isVersion ? has : (machine ?? 'q35');
}
