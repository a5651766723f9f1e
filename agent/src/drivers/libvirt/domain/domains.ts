import { isDeepStrictEqual } from 'node:util';
import type { HostResource, LiveResource } from '@plumb/schemas';
import { domainChange, retryable, terminal } from '@plumb/schemas';
import type { DomainRef } from '../rpc/procedures.ts';
import { isLibvirtError, LibvirtError, libvirtError } from '../rpc/remote-error.ts';
import type { Machine } from './accelerator.ts';
import { keptMachine } from './accelerator.ts';
import type { DomainParts, DomainSurroundings } from './definition.ts';
import { domainXml, interfacesOf } from './definition.ts';
import { gaveUp, isAsleep, isHeld, sizeNeedsRestart } from './facts.ts';
import type { Plug } from './interfaces.ts';
import type { LookingOptions, Seen, Survey } from './looking.ts';
import { Looking } from './looking.ts';
import { METADATA_NAMESPACE, METADATA_PREFIX, markElement, readMark } from './metadata.ts';
import { pluggedIn, plugInterfaces } from './plugging.ts';
import type { ResumingOptions } from './resuming.ts';
import { Resuming } from './resuming.ts';
import { Stopping } from './stopping.ts';
import { parseXml } from './xml-tree.ts';

export interface DomainsOptions extends Omit<LookingOptions, 'onHeld'>, ResumingOptions {
  /** What guests run on here, as of now: QEMU may be another one tomorrow. */
  machine: () => Promise<Machine>;
  /** How long a guest may take to power off when it is asked to, before its plug is pulled. */
  shutdownGraceMs: number;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The domains of one driver: made, changed, switched, removed and seen through libvirt. */
export class Domains {
  readonly #options: DomainsOptions;
  readonly #looking: Looking;
  readonly #stopping: Stopping;
  readonly #resuming: Resuming;

  constructor(options: DomainsOptions) {
    this.#options = options;
    this.#resuming = new Resuming(options);
    this.#looking = new Looking({ ...options, onHeld: (domain) => this.#resuming.note(domain) });
    this.#stopping = new Stopping(options);
  }

  close(): void {
    this.#resuming.close();
  }

  /** To be called with every event. `panicked`: the guest said that its kernel gave up. */
  async heard(uuid: string, panicked = false): Promise<void> {
    if (panicked && (await this.observeOne(uuid))) await this.#options.trace.rememberStop(uuid, 'panicked');
    this.#stopping.heard(uuid);
  }

  /** All of ours, and which of the host's domains cannot be seen. */
  observe(): Promise<Survey> {
    return this.#looking.all();
  }

  /** Ids of domains whose definition somebody changed since they were looked at. */
  redefined(): Promise<string[]> {
    return this.#looking.redefined();
  }

  /** Undefined when there is no such domain, or it is not ours. */
  async observeOne(id: string): Promise<LiveResource<'domain'> | undefined> {
    const domain = await this.#find(id);
    return domain && (await this.#looking.at(domain))?.live;
  }

  /**
   * Defines the domain and switches it as declared. What of a running one only a restart can change is changed by one;
   * its interfaces come and go while it runs, its processors come, and that is noted in the definition when it is done.
   * Resolves to what it is then, and to sentences that a person should know of how it went. Throws `NameTaken` (terminal
   * when someone else's domain is in the way), `DataLoss` (terminal), and libvirt's own errors.
   */
  async ensure(
    resource: HostResource<'domain'>,
    parts: DomainParts,
  ): Promise<{ live: LiveResource<'domain'>; notes: string[] }> {
    const notes: string[] = [];
    await this.#make(resource, parts, notes);
    const live = await this.observeOne(resource.id);
    if (live === undefined) throw retryable('LibvirtFailed', `the domain ${resource.spec.name} went while it was made`);
    return { live, notes };
  }

  async #make(resource: HostResource<'domain'>, parts: DomainParts, notes: string[]): Promise<void> {
    const { libvirt, trace } = this.#options;
    if (!UUID.test(resource.id)) throw terminal('InvalidResource', `The id ${resource.id} of a domain must be a UUID`);
    let domain = await this.#find(resource.id);
    const seen = domain && (await this.#looking.at(domain));
    if (domain !== undefined && seen === undefined) throw foreign(resource.spec.name, `uuid ${resource.id}`);
    await this.#requireName(resource);
    if (await this.#keepsOthersDisks(resource, domain, seen)) return;
    const at = await this.#surroundings(resource, parts, seen, notes);
    const xml = domainXml(resource, at);
    // What is transient would be gone when it ends.
    if (domain?.name === resource.spec.name && seen?.isPersistent === false) await this.#define(xml, resource.id);
    if (domain !== undefined && seen?.live.domain?.state === 'running') {
      const plugs = interfacesOf(resource.spec, at.taps);
      if (await this.#needsRestart(domain, seen, resource, plugs)) notes.push(...(await this.#stopping.stop(domain)));
      else if (resource.spec.power === 'Stopped') {
        await this.#define(xml, resource.id);
        notes.push(...(await this.#stopping.stop(domain)));
        return;
      } else {
        await plugInterfaces(libvirt, this.#options.clock, domain, plugs);
        await this.#plugProcessors(domain, resource.spec.cpus);
        if (seen.isEdited || !isDeepStrictEqual(seen.live.spec, resource.spec)) await this.#define(xml, resource.id);
        return this.#wake(domain);
      }
    }
    if (domain !== undefined && seen !== undefined) await this.#dropOldMemory(domain, seen, resource, notes);
    // A definition keeps its name for life: one with a new name is another definition.
    if (domain !== undefined && domain.name !== resource.spec.name)
      await libvirt.undefine(domain).catch(unless(libvirtError.noDomain));
    domain = await this.#define(xml, resource.id);
    if (resource.spec.power === 'Running') {
      await trace.begin(resource.id);
      await libvirt.create(domain).catch(tellClosedWay);
      await this.#learn('running', domain);
    }
  }

  /**
   * Whether the domain has disks that Plumb did not give it and is left as it is: it may be switched off, since that loses
   * nothing. Throws `DataLoss` (terminal) when it would be started or defined over them.
   */
  async #keepsOthersDisks(
    resource: HostResource<'domain'>,
    domain: DomainRef | undefined,
    seen: Seen | undefined,
  ): Promise<boolean> {
    const { trace, isThere } = this.#options;
    if (domain === undefined || seen === undefined) {
      const ours = this.#options.partsOf(resource)?.disks[0]?.path;
      for (const file of await trace.foreignFiles(resource.id))
        if (await isThere(file)) throw terminal('DataLoss', undefinedSentence(resource.spec.name, file, ours));
      return false;
    }
    const risk = seen.live.domain?.atRisk;
    // Another disk takes the place of the whole: that was asked for as a loss of data.
    if (risk === undefined || !seen.live.spec.disks.some((disk) => resource.spec.disks.includes(disk))) return false;
    if (resource.spec.power === 'Running') throw terminal('DataLoss', risk);
    if (seen.live.domain?.state === 'running') await this.#stopping.stop(domain);
    await this.#options.libvirt.setMetadata(
      domain,
      { prefix: METADATA_PREFIX, uri: METADATA_NAMESPACE },
      markElement(
        { ...seen.mark, resource: { ...seen.mark.resource, spec: { ...seen.live.spec, power: 'Stopped' } } },
        this.#options.key,
      ),
    );
    return true;
  }

  /**
   * A memory that somebody saved is that of the machine as it was: libvirt would start it with the disks, the size and the
   * interfaces of then, whatever is defined now.
   */
  async #dropOldMemory(
    domain: DomainRef,
    seen: Seen,
    resource: HostResource<'domain'>,
    notes: string[],
  ): Promise<void> {
    const { libvirt } = this.#options;
    if (isDeepStrictEqual({ ...seen.live.spec, power: resource.spec.power }, resource.spec)) return;
    if (!(await libvirt.hasSavedMemory(domain))) return;
    await libvirt.removeSavedMemory(domain);
    notes.push(
      `the memory of ${domain.name} that was saved on the host (virsh managedsave) was given up, since the instance was changed: its guest boots, as after a power cut`,
    );
  }

  async #surroundings(
    { spec }: HostResource<'domain'>,
    parts: DomainParts,
    seen: Seen | undefined,
    notes: string[],
  ): Promise<DomainSurroundings> {
    const had = seen?.mark.machine ?? seen?.machine;
    const machine = keptMachine(await this.#options.machine(), had);
    if (had !== undefined && had !== 'q35' && machine !== had)
      notes.push(`${spec.name} is given the machine ${machine}, since the QEMU of this host has no ${had} any more`);
    return { ...parts, machine };
  }

  async #define(xml: string, id: string): Promise<DomainRef> {
    const domain = await this.#options.libvirt.define(xml);
    if (domain.uuid === id) await this.#learn('definition', domain);
    return domain;
  }

  async #learn(view: 'definition' | 'running', domain: DomainRef): Promise<void> {
    const { libvirt, key } = this.#options;
    const text = await (view === 'definition' ? libvirt.definitionXml(domain) : libvirt.runningXml(domain));
    const found = parseXml(text);
    const mark = readMark(found, key, domain.uuid);
    if (mark) this.#looking.edits.learn(view, found, mark);
  }

  /** After everything else that may fail: a processor does not go again while the guest runs. */
  async #plugProcessors(domain: DomainRef, cpus: number): Promise<void> {
    const { libvirt } = this.#options;
    if ((await libvirt.info(domain)).cpus < cpus) await libvirt.setProcessors(domain, cpus);
  }

  /**
   * Pulls the plug and removes every trace. Leaves a domain alone that is not ours, and files that somebody else gave to
   * it: resolves to what of them stays.
   */
  async remove(id: string): Promise<string[]> {
    const domain = await this.#find(id);
    let left: string[] = [];
    if (domain !== undefined) {
      const seen = await this.#looking.at(domain);
      if (seen === undefined) return [];
      left = seen.foreign.map(({ source }) => source);
      await this.#stopping.destroy(domain);
      // What was transient is gone with its run.
      await this.#options.libvirt.undefine(domain).catch(unless(libvirtError.noDomain));
    }
    if (UUID.test(id)) await this.#options.trace.remove(id);
    return left;
  }

  /** Grows the disk at `path` of a domain if it runs. False when it does not, and nobody holds the disk. */
  async growDisk(id: string, path: string, bytes: number): Promise<boolean> {
    const live = await this.observeOne(id);
    const domain = await this.#find(id);
    if (domain === undefined || live?.domain?.state !== 'running') return false;
    await this.#options.libvirt.blockResize(domain, path, bytes);
    return true;
  }

  async #find(id: string): Promise<DomainRef | undefined> {
    if (!UUID.test(id)) return undefined;
    return this.#options.libvirt.lookupByUuid(id).catch(unless(libvirtError.noDomain));
  }

  /** Whether a running domain has to be switched off for it to be as declared, besides being off. */
  async #needsRestart(
    domain: DomainRef,
    { live, state }: Seen,
    resource: HostResource<'domain'>,
    plugs: readonly Plug[],
  ): Promise<boolean> {
    const { libvirt, cutOff } = this.#options;
    if (gaveUp(state)) return true;
    if (domainChange({ ...live.spec, power: resource.spec.power }, resource.spec, live.domain) === 'restart')
      return true;
    if (sizeNeedsRestart(resource, await libvirt.info(domain), live.domain?.maxCpus)) return true;
    // What is not plugged in yet cannot be cut off: it is plugged in instead.
    const present = await pluggedIn(libvirt, domain, plugs);
    return (await cutOff(present.map(({ port }) => port.id))).length > 0;
  }

  async #requireName(resource: HostResource<'domain'>): Promise<void> {
    const other = await this.#options.libvirt.lookupByName(resource.spec.name).catch(unless(libvirtError.noDomain));
    if (other === undefined || other.uuid === resource.id) return;
    const ours = (await this.#looking.at(other))?.live;
    if (ours === undefined) throw foreign(resource.spec.name, 'name');
    throw retryable(
      'NameTaken',
      `a domain named ${resource.spec.name} is still on this host, made for object ${ours.owner}: it must go first`,
    );
  }

  async #wake(domain: DomainRef): Promise<void> {
    const state = await this.#options.libvirt.state(domain);
    if (isHeld(state)) await this.#options.libvirt.resume(domain);
    if (isAsleep(state)) await this.#options.libvirt.wakeUp(domain);
  }
}

function undefinedSentence(name: string, file: string, ours: string | undefined): string {
  return `${name} ran from ${file}, which somebody put in the place of its disk, and was removed from libvirt then: it is not started from the disk of before, since what is in that file would be lost. To bring a snapshot back: qemu-img commit -b ${ours} ${file}. Then, or when it is not wanted any more, move it away and ask again`;
}

function foreign(name: string, what: string) {
  return terminal(
    'NameTaken',
    `a domain with the ${what} that ${name} needs is on this host and was not made by Plumb: rename one of the two, or remove it`,
  );
}

/** For `catch`: says what to do when QEMU's user may not go where its files are; whatever else was thrown goes on. */
function tellClosedWay(thrown: unknown): never {
  if (!(thrown instanceof LibvirtError) || !/Permission denied/.test(thrown.message)) throw thrown;
  const todo =
    "QEMU's user must be able to pass every folder above the agent's data folder: chmod o+x them, or move it";
  throw new LibvirtError(thrown.code, `${thrown.detail}. ${todo}`, thrown.procedure);
}

/** For `catch`: undefined when libvirt answered with this error; others go on. */
export function unless(code: number): (thrown: unknown) => undefined {
  return (thrown) => {
    if (isLibvirtError(thrown, code)) return undefined;
    throw thrown;
  };
}
