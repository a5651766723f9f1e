import type { Clock } from '@plumb/schemas';
import type { Log } from '../log.ts';
import { keys } from '../store/keys.ts';
import type { Store } from '../store/store.ts';

export interface RegistrationOptions {
  store: Store;
  clock: Clock;
  log: Log;
  /** Makes the Host object. Rejects when it cannot (yet); succeeds when it is there already. */
  register?(host: string, zone: string): Promise<void>;
  /** Called when a host attached that is not declared and does not ask to be. */
  onPending?(host: string): void;
}

const AGAIN_MS = 5_000;

/** Sees to it that an attached host is declared, or waits visibly until a person declares it. */
export class Registration {
  readonly #options: RegistrationOptions;

  constructor(options: RegistrationOptions) {
    this.#options = options;
  }

  /** Whether there is a Host object of this name. */
  async isDeclared(host: string): Promise<boolean> {
    return (await this.#options.store.get(keys.object('hosts', undefined, host))) !== undefined;
  }

  /**
   * Declares the host in `zone`, if it is not; with an empty zone, only tells that it waits. Tries again while
   * `stillHere` says so. Never rejects.
   */
  async attend(host: string, zone: string, stillHere: () => boolean): Promise<void> {
    const { register, onPending, clock, log } = this.#options;
    try {
      if (!stillHere() || (await this.isDeclared(host))) return;
      if (zone !== '' && register) {
        await register(host, zone);
        log('info', `host ${host} was declared in zone ${zone}, as its agent asked`);
      } else {
        log('info', `host ${host} waits until it is declared`);
        onPending?.(host);
      }
    } catch (error) {
      log('warn', `host ${host} could not be declared in zone ${zone}, trying again: ${(error as Error).message}`);
      clock.after(AGAIN_MS, () => void this.attend(host, zone, stillHere));
    }
  }
}
