/** What libvirt's domains are: which of them are ours, whether they run, and how they differ from what was declared. */
import type { Clock, LiveThing, Thing } from '@plumb/schemas';
import { PlumbError, retryable } from '@plumb/schemas';
import type { DomainRef, Procedures } from '../rpc/procedures.ts';
import { isLibvirtError, libvirtError } from '../rpc/remote-error.ts';
import { domainDrift, domainFacts, maxProcessors } from './facts.ts';
import { undeclaredInterfaces } from './interfaces.ts';
import { readMetadata } from './metadata.ts';
import type { DomainTrace } from './trace.ts';
import type { XmlElement } from './xml-tree.ts';
import { childrenNamed, elementAt, parseXml } from './xml-tree.ts';

export interface LookingOptions {
  libvirt: Procedures;
  key: string;
  trace: DomainTrace;
  clock: Clock;
  /** Those of a running domain's ports that it is not connected to. */
  cutOff: (portIds: readonly string[]) => Promise<string[]>;
}

/** A domain of ours. */
export interface Seen {
  live: LiveThing<'domain'>;
  /** Whether libvirt keeps its definition when it is off. */
  isPersistent: boolean;
  /** Whether its QEMU, if it has one, runs as root. */
  runsAsRoot: boolean;
}

/** All domains of the host that are ours. */
export interface Survey {
  things: LiveThing<'domain'>[];
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
  readonly #options: LookingOptions;

  constructor(options: LookingOptions) {
    this.#options = options;
  }

  /** All that are ours. A domain that cannot be seen is named, and hides no other. Rejects when libvirt is away. */
  async all(): Promise<Survey> {
    const domains = await this.#options.libvirt.listAllDomains();
    const { things, unseen, asRoot }: Survey = { things: [], unseen: [], asRoot: [] };
    await Promise.all(
      domains.map(async (domain) => {
        try {
          const seen = await this.#inTime(domain);
          if (seen) things.push(seen.live);
          if (seen?.runsAsRoot) asRoot.push(domain.name);
        } catch (thrown) {
          const { reason, message } = PlumbError.from(thrown, domain.name);
          if (reason === 'LibvirtUnavailable') throw thrown;
          unseen.push({ id: domain.uuid, name: domain.name, why: message });
        }
      }),
    );
    return { things, unseen, asRoot };
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

  async #inTime(domain: DomainRef): Promise<Seen | undefined> {
    const { promise: late, reject } = Promise.withResolvers<never>();
    const seconds = PATIENCE_MS / 1000;
    const stop = this.#options.clock.after(PATIENCE_MS, () =>
      reject(retryable('LibvirtFailed', `libvirt has not said within ${seconds} s what ${domain.name} is`)),
    );
    try {
      return await Promise.race([this.at(domain), late]);
    } finally {
      stop();
    }
  }

  async #look(domain: DomainRef): Promise<Seen | undefined> {
    const { libvirt, key, trace } = this.#options;
    const definition = parseXml(await libvirt.definitionXml(domain));
    const thing = readMetadata(definition, key, domain.uuid);
    if (thing === undefined) return undefined;
    const [state, info, isPersistent] = await Promise.all([
      libvirt.state(domain),
      libvirt.info(domain),
      libvirt.isPersistent(domain),
    ]);
    const facts = domainFacts(state);
    const drift = domainDrift(thing, state, info);
    if (!isPersistent) drift.push('its definition was removed from libvirt, which forgets it when it ends');
    let runsAsRoot = false;
    if (facts.state === 'off' && facts.reason === 'unknown')
      facts.reason = (await trace.stopReason(thing.id)) ?? 'unknown';
    else if (facts.state === 'off') await trace.rememberStop(thing.id, facts.reason);
    else {
      await trace.bound(thing.id);
      drift.push(...(await this.#cutOff(thing)).map((port) => `it is not connected to its port ${port}`));
      const running = await libvirt.runningXml(domain);
      drift.push(...undeclaredInterfaces(thing, running));
      const maxCpus = maxProcessors(running) ?? 0;
      if (maxCpus > thing.spec.cpus) facts.maxCpus = maxCpus;
      runsAsRoot = isRoots(parseXml(running));
    }
    return { live: { ...thing, drift, domain: facts }, isPersistent, runsAsRoot };
  }

  /** A tap that was made anew is another one than QEMU holds. */
  #cutOff({ spec }: Thing<'domain'>): Promise<string[]> {
    return this.#options.cutOff(spec.ports.map(({ id }) => id));
  }
}

/** libvirt notes in what runs as whom it started QEMU: `+0:+0`. */
function isRoots(running: XmlElement): boolean {
  const label = childrenNamed(running, 'seclabel').find(({ attributes }) => attributes.model === 'dac');
  return elementAt(label, 'label')?.text.startsWith('+0:') ?? false;
}
