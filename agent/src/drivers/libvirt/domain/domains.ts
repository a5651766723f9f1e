import { isDeepStrictEqual } from 'node:util';
import type { LiveThing, Thing } from '@plumb/schemas';
import { domainChange, retryable, terminal } from '@plumb/schemas';
import type { DomainRef } from '../rpc/procedures.ts';
import { isLibvirtError, LibvirtError, libvirtError } from '../rpc/remote-error.ts';
import type { DomainSurroundings } from './definition.ts';
import { domainXml, interfacesOf } from './definition.ts';
import { domainFacts, isAsleep, isPaused, sizeNeedsRestart } from './facts.ts';
import type { Plug } from './interfaces.ts';
import type { LookingOptions, Seen, Survey } from './looking.ts';
import { Looking } from './looking.ts';
import { pluggedIn, plugInterfaces } from './plugging.ts';

export interface DomainsOptions extends LookingOptions {
  /** How long a guest may take to power off when it is asked to, before its plug is pulled. */
  shutdownGraceMs: number;
}

/** The power button is pressed again so often: a guest that still boots does not hear it. */
const PRESS_AGAIN_MS = 3_000;
const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** The domains of one driver: made, changed, switched, removed and seen through libvirt. */
export class Domains {
  readonly #options: DomainsOptions;
  readonly #looking: Looking;
  readonly #awaitingEvent = new Map<string, Set<() => void>>();

  constructor(options: DomainsOptions) {
    this.#options = options;
    this.#looking = new Looking(options);
  }

  /** To be called with every lifecycle event. */
  heard(uuid: string): void {
    for (const wake of this.#awaitingEvent.get(uuid) ?? []) wake();
  }

  /** All of ours, and which of the host's domains cannot be seen. */
  observe(): Promise<Survey> {
    return this.#looking.all();
  }

  /** Undefined when there is no such domain, or it is not ours. */
  async observeOne(id: string): Promise<LiveThing<'domain'> | undefined> {
    const domain = await this.#find(id);
    return domain && (await this.#look(domain))?.live;
  }

  /**
   * Defines the domain and switches it as declared. What of a running one only a restart can change is changed by one;
   * its interfaces come and go while it runs, its processors come, and that is noted in the definition when it is done.
   * Throws `NameTaken` (terminal when someone else's domain is in the way), and libvirt's own errors.
   */
  async ensure(thing: Thing<'domain'>, surroundings: DomainSurroundings): Promise<LiveThing<'domain'>> {
    await this.#make(thing, surroundings);
    const live = await this.observeOne(thing.id);
    if (live === undefined) throw retryable('LibvirtFailed', `the domain ${thing.spec.name} went while it was made`);
    return live;
  }

  async #make(thing: Thing<'domain'>, surroundings: DomainSurroundings): Promise<void> {
    if (!UUID.test(thing.id)) throw terminal('InvalidThing', `The id ${thing.id} of a domain must be a UUID`);
    const found = await this.#find(thing.id);
    const seen = found && (await this.#look(found));
    if (found !== undefined && seen === undefined) throw foreign(thing.spec.name, `uuid ${thing.id}`);
    const live = seen?.live;
    await this.#requireName(thing);
    const xml = domainXml(thing, surroundings);
    let domain = found;
    // What is transient would be gone when it ends.
    if (domain?.name === thing.spec.name && seen?.isPersistent === false) await this.#options.libvirt.define(xml);
    if (domain !== undefined && live?.domain?.state === 'running') {
      const plugs = interfacesOf(thing.spec, surroundings.taps);
      if (await this.#needsRestart(domain, live, thing, plugs)) await this.#stop(domain);
      else if (thing.spec.power === 'Stopped') {
        await this.#options.libvirt.define(xml);
        await this.#stop(domain);
        return;
      } else {
        await plugInterfaces(this.#options.libvirt, this.#options.clock, domain, plugs);
        await this.#plugProcessors(domain, thing.spec.cpus);
        if (!isDeepStrictEqual(live.spec, thing.spec)) await this.#options.libvirt.define(xml);
        return this.#wake(domain);
      }
    }
    // A definition keeps its name for life: one with a new name is another definition.
    if (domain !== undefined && domain.name !== thing.spec.name) await this.#options.libvirt.undefine(domain);
    domain = await this.#options.libvirt.define(xml);
    if (thing.spec.power === 'Running') {
      await this.#options.trace.begin(thing.id);
      await this.#options.libvirt.create(domain).catch(tellClosedWay);
    }
  }

  /** After everything else that may fail: a processor does not go again while the guest runs. */
  async #plugProcessors(domain: DomainRef, cpus: number): Promise<void> {
    const { libvirt } = this.#options;
    if ((await libvirt.info(domain)).cpus < cpus) await libvirt.setProcessors(domain, cpus);
  }

  /** Pulls the plug and removes every trace. Leaves a domain alone that is not ours. */
  async remove(id: string): Promise<void> {
    const domain = await this.#find(id);
    if (domain !== undefined) {
      if ((await this.#look(domain)) === undefined) return;
      await this.#destroy(domain);
      // What was transient is gone with its run.
      await this.#options.libvirt.undefine(domain).catch(unless(libvirtError.noDomain));
    }
    if (UUID.test(id)) await this.#options.trace.remove(id);
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

  #look(domain: DomainRef): Promise<Seen | undefined> {
    return this.#looking.at(domain);
  }

  /** Whether a running domain has to be switched off for it to be as declared, besides being off. */
  async #needsRestart(
    domain: DomainRef,
    live: LiveThing<'domain'>,
    thing: Thing<'domain'>,
    plugs: readonly Plug[],
  ): Promise<boolean> {
    const { libvirt, cutOff } = this.#options;
    if (domainChange({ ...live.spec, power: thing.spec.power }, thing.spec, live.domain) === 'restart') return true;
    if (sizeNeedsRestart(thing, await libvirt.info(domain), live.domain?.maxCpus)) return true;
    // What is not plugged in yet cannot be cut off: it is plugged in instead.
    const present = await pluggedIn(libvirt, domain, plugs);
    return (await cutOff(present.map(({ port }) => port.id))).length > 0;
  }

  async #requireName(thing: Thing<'domain'>): Promise<void> {
    const other = await this.#options.libvirt.lookupByName(thing.spec.name).catch(unless(libvirtError.noDomain));
    if (other === undefined || other.uuid === thing.id) return;
    const ours = (await this.#look(other))?.live;
    if (ours === undefined) throw foreign(thing.spec.name, 'name');
    throw retryable(
      'NameTaken',
      `a domain named ${thing.spec.name} is still on this host, made for object ${ours.owner}: it must go first`,
    );
  }

  async #wake(domain: DomainRef): Promise<void> {
    const state = await this.#options.libvirt.state(domain);
    if (isPaused(state)) await this.#options.libvirt.resume(domain);
    if (isAsleep(state)) await this.#options.libvirt.wakeUp(domain);
  }

  /** Asks the guest to power off, and pulls the plug when it has not within its time. */
  async #stop(domain: DomainRef): Promise<void> {
    const { libvirt, clock, shutdownGraceMs } = this.#options;
    const deadline = clock.now() + shutdownGraceMs;
    while (clock.now() < deadline) {
      const pause = Math.min(PRESS_AGAIN_MS, deadline - clock.now());
      const event = this.#nextEvent(domain.uuid, pause);
      try {
        await libvirt.shutdown(domain).catch(unless(libvirtError.operationInvalid));
        if (domainFacts(await libvirt.state(domain)).state === 'off') return;
        await event.happened;
        if (domainFacts(await libvirt.state(domain)).state === 'off') return;
      } finally {
        event.forget();
      }
    }
    await this.#destroy(domain);
  }

  async #destroy(domain: DomainRef): Promise<void> {
    await this.#options.libvirt
      .destroy(domain)
      .catch(unless(libvirtError.operationInvalid))
      .catch(unless(libvirtError.noDomain));
  }

  /** Resolves at the next event of the domain, or after `ms`. */
  #nextEvent(uuid: string, ms: number): { happened: Promise<void>; forget: () => void } {
    const { promise: happened, resolve } = Promise.withResolvers<void>();
    const waiting = this.#awaitingEvent.get(uuid) ?? new Set();
    this.#awaitingEvent.set(uuid, waiting.add(resolve));
    const stop = this.#options.clock.after(ms, resolve);
    const forget = () => {
      stop();
      waiting.delete(resolve);
      if (waiting.size === 0) this.#awaitingEvent.delete(uuid);
    };
    return { happened, forget };
  }
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
function unless(code: number): (thrown: unknown) => undefined {
  return (thrown) => {
    if (isLibvirtError(thrown, code)) return undefined;
    throw thrown;
  };
}
