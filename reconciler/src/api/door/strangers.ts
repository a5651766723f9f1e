import type { Clock } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Visitor } from './visitor.ts';

export interface StrangersOptions {
  clock: Clock;
  limits: ServerLimits;
  onClosed(why: 'crowded' | 'overdue' | 'loud'): void;
}

/** How often they are looked at while there are any, in milliseconds: one that floods is closed before it has cost much. */
const LOOK_MS = 20;

/** Whose oldest connection is closed to make room has more than this many. */
const FEW = 4;

/** Connections on which nobody has shown a credential yet. */
export class Strangers {
  readonly #options: StrangersOptions;
  /** Origin → its connections, the oldest first. */
  readonly #byOrigin = new Map<string, Set<Visitor>>();
  /** Origins from which a credential was shown, the one that was heard of longest ago first. */
  readonly #known = new Set<string>();
  /** Those who speak TLS, with the time at which that began, in its order: they cost most. */
  readonly #inside = new Map<Visitor, number>();
  #size = 0;
  #stopLook: (() => void) | undefined;

  constructor(options: StrangersOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#size;
  }

  /** Whether another of this origin may come; one that is there already may have to go. */
  makeRoom(origin: string, isLoopback: boolean): boolean {
    const { limits } = this.#options;
    const own = this.#byOrigin.get(origin)?.size ?? 0;
    if (!isLoopback && own >= limits.unauthenticatedConnectionsPerAddress) return false;
    if (this.#size < limits.unauthenticatedConnections) return true;
    const greediest = this.#greediest();
    if (greediest && greediest.size > FEW) return this.#close(greediest);
    // All have few: who was never known gives way to who is.
    if (!this.#known.has(origin)) return false;
    for (const [other, visitors] of this.#byOrigin) if (!this.#known.has(other)) return this.#close(visitors);
    return false;
  }

  /** Whether another of this origin may begin to speak TLS. One that has spoken for long and shown nothing makes room. */
  makeRoomInside(origin: string): boolean {
    const { clock, limits } = this.#options;
    if (this.#inside.size < limits.unauthenticatedHandshakes) return true;
    const [oldest, since] = this.#inside.entries().next().value!;
    const now = clock.now();
    // Who was known before goes before others: a stranger makes room for it, however short his time was.
    const isPreferred = this.#known.has(origin) && !this.#known.has(oldest.origin);
    if (!isPreferred && now - since < limits.handshakeGraceSeconds * 1000 && now >= since) return false;
    this.#end(oldest);
    return true;
  }

  isKnown(origin: string): boolean {
    return this.#known.has(origin);
  }

  /** It begins to speak TLS, or a credential is waited for. */
  begin(visitor: Visitor): void {
    if (visitor.owner === undefined && !visitor.socket.destroyed && !this.#inside.has(visitor))
      this.#inside.set(visitor, this.#options.clock.now());
  }

  /** It cannot show a credential, because we do not listen yet. */
  park(visitor: Visitor): void {
    this.#inside.delete(visitor);
  }

  add(visitor: Visitor): void {
    const own = this.#byOrigin.get(visitor.origin) ?? new Set();
    own.add(visitor);
    this.#byOrigin.set(visitor.origin, own);
    this.#size++;
    this.#stopLook ??= this.#options.clock.after(LOOK_MS, () => this.#look());
  }

  /** It is none any more; `known`: because a credential was shown. */
  leave(visitor: Visitor, why: 'known' | 'gone'): void {
    this.#inside.delete(visitor);
    const own = this.#byOrigin.get(visitor.origin);
    if (own?.delete(visitor)) {
      this.#size--;
      if (own.size === 0) this.#byOrigin.delete(visitor.origin);
    }
    if (why === 'gone') return;
    this.#known.delete(visitor.origin);
    this.#known.add(visitor.origin);
    if (this.#known.size > this.#options.limits.knownAddresses) this.#known.delete(this.#known.values().next().value!);
  }

  close(): void {
    this.#stopLook?.();
  }

  #greediest(): Set<Visitor> | undefined {
    let most: Set<Visitor> | undefined;
    for (const own of this.#byOrigin.values()) if (own.size > (most?.size ?? 0)) most = own;
    return most;
  }

  #close(visitors: Set<Visitor>): boolean {
    const [oldest] = visitors;
    if (oldest === undefined) return false;
    this.#end(oldest);
    return true;
  }

  #end(visitor: Visitor): void {
    this.#options.onClosed('crowded');
    this.leave(visitor, 'gone');
    visitor.socket.destroy();
  }

  #look(): void {
    const { clock, limits, onClosed } = this.#options;
    const now = clock.now();
    for (const own of [...this.#byOrigin.values()])
      for (const visitor of [...own]) {
        const loud = visitor.socket.bytesRead > limits.unauthenticatedBytes;
        if (!loud && now < visitor.deadline) continue;
        onClosed(loud ? 'loud' : 'overdue');
        visitor.socket.destroy();
      }
    this.#stopLook = this.#size > 0 ? clock.after(LOOK_MS, () => this.#look()) : undefined;
  }
}
