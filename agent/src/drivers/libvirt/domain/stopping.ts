/** Switching a guest off: asked to power off, and with its plug pulled when it does not. */
import type { Clock } from '@plumb/schemas';
import type { DomainRef, Procedures } from '../rpc/procedures.ts';
import { isLibvirtError, libvirtError } from '../rpc/remote-error.ts';
import { domainFacts } from './facts.ts';

export interface StoppingOptions {
  libvirt: Procedures;
  clock: Clock;
  shutdownGraceMs: number;
}

/** The power button is pressed again so often: a guest that still boots does not hear it. */
const PRESS_AGAIN_MS = 3_000;

export class Stopping {
  readonly #options: StoppingOptions;
  readonly #awaitingEvent = new Map<string, Set<() => void>>();

  constructor(options: StoppingOptions) {
    this.#options = options;
  }

  /** To be called with every event of the domain. */
  heard(uuid: string): void {
    for (const wake of this.#awaitingEvent.get(uuid) ?? []) wake();
  }

  /** Resolves when it is off, to sentences that a person should know of how it went: mostly none. */
  async stop(domain: DomainRef): Promise<string[]> {
    const { libvirt, clock, shutdownGraceMs } = this.#options;
    const deadline = clock.now() + shutdownGraceMs;
    while (clock.now() < deadline) {
      const pause = Math.min(PRESS_AGAIN_MS, deadline - clock.now());
      const event = this.#nextEvent(domain.uuid, pause);
      try {
        await libvirt.shutdown(domain).catch(unlessOff);
        if (await this.#isOff(domain)) return [];
        await event.happened;
        if (await this.#isOff(domain)) return [];
      } finally {
        event.forget();
      }
    }
    await this.destroy(domain);
    const seconds = shutdownGraceMs / 1000;
    return [
      `the plug of ${domain.name} was pulled, since its guest did not power off within ${seconds} s of being asked`,
    ];
  }

  /** Pulls the plug. */
  async destroy(domain: DomainRef): Promise<void> {
    await this.#options.libvirt.destroy(domain).catch(unlessOff);
  }

  /** A transient domain is gone when it is off. */
  async #isOff(domain: DomainRef): Promise<boolean> {
    const state = await this.#options.libvirt.state(domain).catch(unlessOff);
    return state === undefined || domainFacts(state).state === 'off';
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

/** For `catch`: undefined when there is nothing (any more) that could be switched off. */
function unlessOff(thrown: unknown): undefined {
  const codes = [libvirtError.operationInvalid, libvirtError.noDomain];
  if (codes.some((code) => isLibvirtError(thrown, code))) return undefined;
  throw thrown;
}
