/** What libvirt's domains are: which of them are ours, whether they run, and how they differ from what was declared. */
import type { Clock, DomainFacts, LiveResource } from '@plumb/schemas';
import { PlumbError, retryable } from '@plumb/schemas';
import type { DomainRef, DomainState, Procedures } from '../rpc/procedures.ts';
import { isLibvirtError, libvirtError } from '../rpc/remote-error.ts';
import type { DomainParts } from './definition.ts';
import type { ForeignDisk } from './disk-sources.ts';
import { foreignDisks, riskSentence } from './disk-sources.ts';
import { Edits } from './edits.ts';
import { domainFacts, isHeldByDisk, maxProcessors, sizeDrift, stateDrift } from './facts.ts';
import { interfaceDrift } from './interfaces.ts';
import type { Mark } from './metadata.ts';
import { readMark } from './metadata.ts';
import type { DomainTrace } from './trace.ts';
import { XmlMemory } from './xml-memory.ts';
import type { XmlElement } from './xml-tree.ts';
import { childrenNamed, elementAt } from './xml-tree.ts';

export interface LookingOptions {
  libvirt: Procedures;
  key: string;
  trace: DomainTrace;
  clock: Clock;
  /** Where the parts of a domain lie; undefined when the host's records do not tell. */
  partsOf: (resource: Mark['resource']) => DomainParts | undefined;
  /** Those of a running domain's ports that it is not connected to. */
  cutOff: (portIds: readonly string[]) => Promise<string[]>;
  /** Whether a file is there. */
  isThere: (path: string) => Promise<boolean>;
  /** Told of a domain whose QEMU holds its guest, since a disk is full or failed. */
  onHeld: (domain: DomainRef) => void;
  log: (line: string) => void;
}

/** A domain of ours. */
export interface Seen {
  live: LiveResource<'domain'>;
  /** Of the definition. */
  mark: Mark;
  /** The version of the machine that the guest had last. */
  machine: string | undefined;
  state: DomainState;
  /** Whether libvirt keeps its definition when it is off. */
  isPersistent: boolean;
  /** Whether the definition says otherwise than ours. */
  isEdited: boolean;
  /** Disks that Plumb did not give it. */
  foreign: readonly ForeignDisk[];
  /** Whether its QEMU, if it has one, runs as root. */
  runsAsRoot: boolean;
}

/** All domains of the host that are ours. */
export interface Survey {
  resources: LiveResource<'domain'>[];
  unseen: Unseen[];
  /** Names of those whose QEMU runs as root. */
  asRoot: string[];
}

/** A domain of which libvirt does not tell what it is: whether it is ours is not known. */
export interface Unseen {
  id: string;
  name: string;
  /** A sentence. */
  why: string;
}

/** Longer than any answer of a libvirtd that is well: one domain that it cannot speak of holds nobody up. */
const PATIENCE_MS = 10_000;

/** Looks at domains through libvirt. Changes none. */
export class Looking {
  readonly edits: Edits;
  readonly #options: LookingOptions;
  readonly #xml = new XmlMemory();

  constructor(options: LookingOptions) {
    this.#options = options;
    this.edits = new Edits(options);
  }

  /** All that are ours. A domain that cannot be seen is named, and hides no other. Rejects when libvirt is away. */
  async all(): Promise<Survey> {
    const domains = await this.#options.libvirt.listAllDomains();
    this.#xml.keepOnly(domains);
    const { resources, unseen, asRoot }: Survey = { resources: [], unseen: [], asRoot: [] };
    await Promise.all(
      domains.map(async (domain) => {
        try {
          const seen = await this.#inTime(domain, () => this.at(domain));
          if (seen) resources.push(seen.live);
          if (seen?.runsAsRoot) asRoot.push(domain.name);
        } catch (thrown) {
          const { reason, message } = PlumbError.from(thrown, domain.name);
          if (reason === 'LibvirtUnavailable') throw thrown;
          unseen.push({ id: domain.uuid, name: domain.name, why: message });
        }
      }),
    );
    return { resources, unseen, asRoot };
  }

  /** Ids of those whose definition is another text than when it was last looked at: of most edits no event tells. */
  async redefined(): Promise<string[]> {
    const domains = await this.#options.libvirt.listAllDomains();
    const changed = await Promise.all(
      domains.map(async (domain) => {
        const text = await this.#inTime(domain, () => this.#options.libvirt.definitionXml(domain)).catch(
          () => undefined,
        );
        return text !== undefined && !this.#xml.knows(domain.uuid, 'definition', text);
      }),
    );
    return domains.filter((_domain, index) => changed[index]).map(({ uuid }) => uuid);
  }

  /** Undefined when it is not ours, or went while it was looked at. */
  async at(domain: DomainRef): Promise<Seen | undefined> {
    try {
      return await this.#look(domain);
    } catch (thrown) {
      if (isLibvirtError(thrown, libvirtError.noDomain)) return undefined;
      throw thrown;
    }
  }

  async #inTime<T>(domain: DomainRef, look: () => Promise<T>): Promise<T> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const seconds = PATIENCE_MS / 1000;
    const stop = this.#options.clock.after(PATIENCE_MS, () =>
      reject(retryable('LibvirtFailed', `libvirt has not said within ${seconds} s what ${domain.name} is`)),
    );
    try {
      return await Promise.race([look(), late]);
    } finally {
      stop();
    }
  }

  async #look(domain: DomainRef): Promise<Seen | undefined> {
    const { libvirt, key } = this.#options;
    const definition = this.#xml.parse(domain.uuid, 'definition', await libvirt.definitionXml(domain));
    const state = await libvirt.state(domain);
    const runs = domainFacts(state).state === 'running';
    const running = runs ? this.#xml.parse(domain.uuid, 'running', await libvirt.runningXml(domain)) : undefined;
    const noted = readMark(definition, key, domain.uuid);
    // Where somebody took our element out of the definition, what runs still says whose it is.
    const mark = noted ?? (running && readMark(running, key, domain.uuid));
    if (mark === undefined) return undefined;
    const isPersistent = await libvirt.isPersistent(domain);
    const foreign = await this.#foreign(mark, running ?? definition, runs);
    const edits = [...(noted ? [] : ['the mark of Plumb is not there']), ...this.edits.of(definition, mark)];
    const facts = running ? await this.#running(domain, mark, state, running) : await this.#off(mark, state);
    const drift = running ? await this.#runningDrift(domain, mark, state, running) : [];
    if (!isPersistent) drift.push('its definition was removed from libvirt, which forgets it when it ends');
    if (edits.length > 0) drift.push(`its definition was edited on the host: ${some(edits)}`);
    const risk = riskSentence(domain.name, foreign, runs);
    if (risk !== undefined) facts.atRisk = risk;
    return {
      live: { ...mark.resource, drift, domain: facts },
      ...{ mark, state, isPersistent, foreign, isEdited: edits.length > 0 },
      machine: mark.machine ?? elementAt(definition, 'os', 'type')?.attributes.machine,
      runsAsRoot: running !== undefined && isRoots(running),
    };
  }

  /** Disks that are not ours. Of a guest that is off, files that are gone hold nothing that could be lost. */
  async #foreign({ resource }: Mark, domain: XmlElement, runs: boolean): Promise<ForeignDisk[]> {
    const { trace, partsOf, isThere } = this.#options;
    const parts = partsOf(resource);
    if (parts === undefined) return [];
    const found = foreignDisks(
      domain,
      parts.disks.map(({ path }) => path),
    );
    const held = runs ? found : await asyncFilter(found, ({ source }) => isThere(source));
    const files = held.filter(({ kind }) => kind !== 'extra').map(({ source }) => source);
    await trace.rememberForeign(resource.id, files);
    return held;
  }

  async #off({ resource }: Mark, state: DomainState): Promise<DomainFacts> {
    const { trace } = this.#options;
    const facts = domainFacts(state);
    const remembered = await trace.stopReason(resource.id);
    // libvirt says no more of a panic than that it crashed, and nothing at all after it was restarted.
    const knowsMore = facts.reason === 'unknown' || (facts.reason === 'crashed' && remembered === 'panicked');
    if (knowsMore) return { ...facts, reason: remembered ?? facts.reason };
    return { ...facts, reason: await trace.rememberStop(resource.id, facts.reason) };
  }

  async #running(domain: DomainRef, mark: Mark, state: DomainState, running: XmlElement): Promise<DomainFacts> {
    const { key, libvirt, trace, partsOf, onHeld } = this.#options;
    const { resource } = mark;
    await trace.bound(resource.id);
    const facts = domainFacts(state);
    const maxCpus = maxProcessors(running) ?? 0;
    if (maxCpus > resource.spec.cpus) facts.maxCpus = maxCpus;
    const started = readMark(running, key, domain.uuid);
    const seed = partsOf(resource)?.seedContent;
    if (seed !== undefined && started?.seed !== undefined && started.seed !== seed) facts.oldSeed = true;
    const edited = started ? this.edits.ofRunning(running, started) : [];
    if (edited.length > 0) facts.edited = `what runs is otherwise than declared: ${some(edited)}`;
    if (isHeldByDisk(state)) {
      facts.paused = heldSentence(await libvirt.diskErrors(domain));
      onHeld(domain);
    }
    return facts;
  }

  /** What a running domain has otherwise than is declared, and gets as declared without being defined anew. */
  async #runningDrift(
    domain: DomainRef,
    { resource }: Mark,
    state: DomainState,
    running: XmlElement,
  ): Promise<string[]> {
    const { libvirt, cutOff } = this.#options;
    // A tap that was made anew is another one than QEMU holds.
    const cut = await cutOff(resource.spec.ports.map(({ id }) => id));
    return [
      ...sizeDrift(resource, await libvirt.info(domain)),
      ...stateDrift(state),
      ...cut.map((port) => `it is not connected to its port ${port}`),
      ...interfaceDrift(resource, running),
    ];
  }
}

/** So many differences are said; of others how many there are. */
const SAID = 4;

function some(sentences: readonly string[]): string {
  const rest = sentences.length > SAID ? ` and ${sentences.length - SAID} more` : '';
  return `${sentences.slice(0, SAID).join('; ')}${rest}`;
}

function heldSentence(errors: ReadonlyMap<string, 'full' | 'failed'>): string {
  const disks = (of: 'full' | 'failed') => [...errors].filter(([, error]) => error === of).map(([disk]) => disk);
  const [full, failed] = [disks('full'), disks('failed')];
  const what = [
    ...(full.length > 0 ? [`there is no space left for its disk ${full.join(', ')}: free some on the host`] : []),
    ...(failed.length > 0 ? [`its disk ${failed.join(', ')} failed: look at the storage of the host`] : []),
  ];
  return `QEMU holds the guest, since ${what.join('; ') || 'its disk failed or is full'}. It goes on by itself when that is over`;
}

/** libvirt notes in what runs as whom it started QEMU: `+0:+0`. */
function isRoots(running: XmlElement): boolean {
  const label = childrenNamed(running, 'seclabel').find(({ attributes }) => attributes.model === 'dac');
  return elementAt(label, 'label')?.text.startsWith('+0:') ?? false;
}

async function asyncFilter<T>(items: readonly T[], keep: (item: T) => Promise<boolean>): Promise<T[]> {
  const kept = await Promise.all(items.map(keep));
  return items.filter((_item, index) => kept[index]);
}
