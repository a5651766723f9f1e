/** Since when each host has not been connected. A host that was never heard of counts from the start of the process. */
import type { Clock } from '@plumb/schemas';
import type { Fleet } from './fleet.ts';

/** An agent may restart without anyone being alarmed for this long. */
export const DISCONNECT_GRACE_MS = 40_000;

/** How long is waited more while it may be this process that has not heard the host yet. */
const BEHIND_MS = 5_000;

/** No host is excused for longer than this after it was last heard: others that come and go hide no loss for ever. */
export const LONGEST_EXCUSE_MS = 600_000;

export class HostLiveness {
  private readonly clock: Clock;
  private readonly fleet: Fleet;
  private readonly startedAt: number;
  private readonly since = new Map<string, number>();
  private behindUntil = Number.NEGATIVE_INFINITY;

  constructor(fleet: Fleet, clock: Clock) {
    this.clock = clock;
    this.fleet = fleet;
    this.startedAt = clock.now();
    fleet.onChange((change) => {
      if (change.type !== 'host') return;
      if (this.connected(change.host)) this.since.delete(change.host);
      else if (!this.since.has(change.host)) this.since.set(change.host, clock.now());
    });
  }

  connected(host: string): boolean {
    return this.fleet.host(host)?.connected ?? false;
  }

  /** This process was too busy to hear anybody: for a moment nobody counts as lost. */
  fellBehind(): void {
    this.behindUntil = this.clock.now() + BEHIND_MS;
  }

  /** Milliseconds until the host counts as lost; 0 when it does; undefined while it is connected. */
  graceLeftMs(host: string): number | undefined {
    if (this.connected(host)) return undefined;
    const now = this.clock.now();
    // A wall clock may be put back: then the grace begins anew, and does not last until the clock has caught up.
    if ((this.since.get(host) ?? this.startedAt) > now) this.since.set(host, now);
    const since = this.since.get(host) ?? this.startedAt;
    const left = Math.max(0, since + DISCONNECT_GRACE_MS - now);
    if (left >= BEHIND_MS || now - since >= LONGEST_EXCUSE_MS) return left;
    // Whoever waits at our own door is not lost, nor who is telling what lives there.
    const excused = this.fleet.crowded || this.fleet.isTelling(host) || this.isBehind(now);
    return excused ? BEHIND_MS : left;
  }

  private isBehind(now: number): boolean {
    return now < this.behindUntil && this.behindUntil <= now + BEHIND_MS;
  }
}
