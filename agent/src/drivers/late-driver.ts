/** A driver whose hypervisor is not there yet: the agent starts, says so, and goes on by itself when it is. */
import type { Clock, HostResource, LiveResource, ResourceType } from '@plumb/schemas';
import { PlumbError, retryable } from '@plumb/schemas';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import type { Attention, Driver, DriverChange, DriverFacts } from './driver.ts';

export interface LateDriverOptions {
  name: Driver['name'];
  /** What the machine has, which is known without its hypervisor. */
  facts: () => Promise<DriverFacts>;
  /** Opens the driver. Rejects with a PlumbError to try again, if its `retry` says so. */
  open: () => Promise<Driver>;
  clock: Clock;
  log: (line: string) => void;
}

const FIRST_MS = 1_000;
const LAST_MS = 10_000;

/** The driver, as soon as it can be opened. Rejects only with what waiting will not cure. */
export async function openOrWait(options: LateDriverOptions): Promise<Driver> {
  try {
    return await options.open();
  } catch (thrown) {
    const why = PlumbError.from(thrown, `driver ${options.name}`);
    if (why.retry === 'terminal') throw why;
    options.log(`${why.message}; waiting for it`);
    return new LateDriver(options, why);
  }
}

class LateDriver implements Driver {
  readonly name: Driver['name'];
  readonly #options: LateDriverOptions;
  readonly #listeners = new Set<(change: DriverChange) => void>();
  #why: PlumbError;
  #driver: Driver | undefined;
  #stop = () => {};
  #closed = false;

  constructor(options: LateDriverOptions, why: PlumbError) {
    this.name = options.name;
    this.#options = options;
    this.#why = why;
    this.#later(FIRST_MS);
  }

  facts(): Promise<DriverFacts> {
    return this.#driver?.facts() ?? this.#options.facts();
  }

  troubles(): readonly HostTrouble[] {
    const { reason, message } = this.#why;
    return this.#driver?.troubles() ?? [{ reason, message, blocking: true }];
  }

  async observe(): Promise<LiveResource[]> {
    return this.#opened().observe();
  }

  async ensure(resource: HostResource, attention?: Attention): Promise<void> {
    return this.#opened().ensure(resource, attention);
  }

  async remove(resource: { kind: ResourceType; id: string; owner: string }, attention?: Attention): Promise<void> {
    return this.#opened().remove(resource, attention);
  }

  onChange(listener: (change: DriverChange) => void): () => void {
    const own = (change: DriverChange) => listener(change);
    this.#listeners.add(own);
    return () => this.#listeners.delete(own);
  }

  async close(): Promise<void> {
    this.#closed = true;
    this.#stop();
    this.#listeners.clear();
    await this.#driver?.close();
  }

  #opened(): Driver {
    if (this.#driver) return this.#driver;
    throw retryable(this.#why.reason, this.#why.message, this.#why);
  }

  #later(ms: number): void {
    if (this.#closed) return;
    this.#stop = this.#options.clock.after(ms, () => void this.#attempt(Math.min(2 * ms, LAST_MS)));
  }

  async #attempt(nextMs: number): Promise<void> {
    try {
      const driver = await this.#options.open();
      if (this.#closed) return await driver.close();
      this.#driver = driver;
      driver.onChange((change) => this.#tell(change));
      this.#options.log(`driver ${this.name}: it is there`);
      this.#tell({ type: 'troubles' });
      this.#tell({ type: 'lost' });
    } catch (thrown) {
      const before = this.#why;
      this.#why = PlumbError.from(thrown, `driver ${this.name}`);
      if (this.#why.message !== before.message) {
        this.#options.log(this.#why.message);
        this.#tell({ type: 'troubles' });
      }
      this.#later(nextMs);
    }
  }

  #tell(change: DriverChange): void {
    for (const listener of this.#listeners) listener(change);
  }
}
