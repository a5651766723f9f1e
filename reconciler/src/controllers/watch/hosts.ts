/**
 * What becomes of hosts, as events for the rules of the kinds. Tens of thousands of hosts may come or go at once: what many of them
 * share is to be looked at once for all, and what was lost with them a part at a time.
 */
import type { Context } from '../controller.ts';
import { LostHosts } from './lost.ts';
import type { HostEvent } from './rules.ts';
import { SharedOn } from './shared-on.ts';

/** More hosts are waited for until none came for a moment; while many come, for so long at most. */
const QUIET_MS = 200;
const LONGEST_MS = 1_000;
const LONGEST_MANY_MS = 15_000;
const MANY = 100;

/** A host that comes and goes all the time has others looked at this seldom. What is its own is looked at each time. */
const AGAIN_MS = 5_000;

export class HostSource {
  readonly #context: Context;
  readonly #tell: (event: HostEvent) => void;
  readonly #lost: LostHosts;
  #gathered = new Set<string>();
  #gatheredAt = 0;
  #lastAt = 0;
  #stopGathering: (() => void) | undefined;
  /** Host → when others were looked at for its sake. */
  readonly #handedOn = new Map<string, number>();
  readonly #stopAgain = new Map<string, () => void>();

  /** `tell`: returns how many keys were woken. */
  constructor(context: Context, tell: (event: HostEvent) => number) {
    this.#context = context;
    this.#tell = tell;
    this.#lost = new LostHosts(context, (host) => tell({ type: 'lost', host }));
  }

  /** It attached, detached, or told anew what lives there. */
  moved(host: string): void {
    this.#lost.note(host);
    this.#tell({ type: 'moved', host, connected: this.#context.liveness.connected(host) });
    this.#gather(host);
  }

  /** Others are to send to it elsewhere, or its Host is to say why not. */
  readdressed(host: string): void {
    this.#tell({ type: 'told', host });
    this.#gather(host);
  }

  end(): void {
    this.#stopGathering?.();
    for (const stop of this.#stopAgain.values()) stop();
    this.#lost.end();
  }

  #gather(host: string): void {
    const { clock } = this.#context.ambient;
    this.#lastAt = clock.now();
    const since = this.#lastAt - (this.#handedOn.get(host) ?? Number.NEGATIVE_INFINITY);
    // A wall clock may be put back: then it was long ago.
    if (since >= 0 && since < AGAIN_MS) {
      if (this.#stopAgain.has(host)) return;
      const again = () => {
        this.#stopAgain.delete(host);
        this.#gather(host);
      };
      this.#stopAgain.set(host, clock.after(AGAIN_MS - since, again));
      return;
    }
    if (this.#gathered.size === 0) this.#gatheredAt = this.#lastAt;
    this.#gathered.add(host);
    this.#stopGathering ??= this.#wait(QUIET_MS);
  }

  #wait(ms: number): () => void {
    const { clock } = this.#context.ambient;
    return clock.after(ms, () => {
      const now = clock.now();
      const longest = this.#gathered.size > MANY ? LONGEST_MANY_MS : LONGEST_MS;
      const quietAt = Math.min(this.#lastAt + QUIET_MS, this.#gatheredAt + longest);
      // A wall clock may be put back: then nothing more is waited for.
      if (quietAt > now && now >= this.#lastAt) this.#stopGathering = this.#wait(quietAt - now);
      else this.#handOn();
    });
  }

  #handOn(): void {
    const hosts = this.#gathered;
    this.#gathered = new Set();
    this.#stopGathering = undefined;
    const now = this.#context.ambient.clock.now();
    for (const [host, at] of this.#handedOn) if (at > now || now - at >= AGAIN_MS) this.#handedOn.delete(host);
    for (const host of hosts) this.#handedOn.set(host, now);
    this.#tell({ type: 'gathered', hosts, sharing: new SharedOn(this.#context, hosts) });
  }
}
