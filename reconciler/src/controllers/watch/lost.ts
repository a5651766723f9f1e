/**
 * Hosts that are waited for. An instance whose host is away is looked at when the host tells, or once when it is lost: until then
 * nothing can be said of it, and there may be a million of it.
 */
import { DISCONNECT_GRACE_MS } from '../../fleet/liveness.ts';
import type { Context } from '../controller.ts';

/** A timer that is this much late says that the server was busy, and may not have heard who spoke. */
const LATE_MS = 1_000;

/** Of more hosts than this, those that are due soon after each other are looked at together. */
const MANY = 100;
const TOGETHER_MS = 250;

/** So many keys are handed on in one turn when many hosts are lost, and so long is everybody else served before the next. */
const PORTION = 250;
const TURN_MS = 50;

export class LostHosts {
  readonly #context: Context;
  readonly #tell: (host: string) => number;
  readonly #awaited = new Set<string>();
  /** Hosts that are lost, and of which not all was handed on. */
  readonly #lost = new Set<string>();
  #stopBeginning: () => void;
  #stopLook: (() => void) | undefined;
  #lookAt = Number.POSITIVE_INFINITY;
  #stopHandingOn: (() => void) | undefined;

  /** Waits for the hosts that are away now, too. `tell`: told of each that is lost; returns how many keys it woke. */
  constructor(context: Context, tell: (host: string) => number) {
    this.#context = context;
    this.#tell = tell;
    // Who is away at first is of no interest: all are.
    this.#stopBeginning = context.ambient.clock.after(DISCONNECT_GRACE_MS, () => {
      for (const host of context.holdings.hosts()) this.note(host);
      for (const { key } of context.read.list('hosts')) this.note(key.slice(key.lastIndexOf('/') + 1));
    });
  }

  /** The host came or went, or may be away. */
  note(host: string): void {
    const leftMs = this.#context.liveness.graceLeftMs(host);
    this.#lost.delete(host);
    if (leftMs === undefined) {
      this.#awaited.delete(host);
      return;
    }
    this.#awaited.add(host);
    if (this.#context.ambient.clock.now() + leftMs < this.#lookAt) this.#lookIn(leftMs);
  }

  end(): void {
    this.#stopBeginning();
    this.#stopLook?.();
    this.#stopHandingOn?.();
    this.#awaited.clear();
    this.#lost.clear();
  }

  #lookIn(ms: number): void {
    const { clock } = this.#context.ambient;
    const due = clock.now() + ms;
    this.#stopLook?.();
    this.#lookAt = due;
    this.#stopLook = clock.after(ms, () => {
      this.#stopLook = undefined;
      this.#lookAt = Number.POSITIVE_INFINITY;
      if (clock.now() - due > LATE_MS) this.#context.liveness.fellBehind();
      this.#look();
    });
  }

  #look(): void {
    let next = Number.POSITIVE_INFINITY;
    for (const host of this.#awaited) {
      const leftMs = this.#context.liveness.graceLeftMs(host);
      if (leftMs !== undefined && leftMs > 0) {
        next = Math.min(next, leftMs);
        continue;
      }
      this.#awaited.delete(host);
      if (leftMs === 0) this.#lost.add(host);
    }
    if (next < Number.POSITIVE_INFINITY) this.#lookIn(this.#awaited.size > MANY ? Math.max(next, TOGETHER_MS) : next);
    if (this.#stopHandingOn === undefined) this.#handOn();
  }

  /** Some in each turn, so that others are served between them. */
  #handOn(): void {
    this.#stopHandingOn = undefined;
    let left = PORTION;
    for (const host of this.#lost) {
      if (left <= 0) {
        this.#stopHandingOn = this.#context.ambient.clock.after(TURN_MS, () => this.#handOn());
        return;
      }
      this.#lost.delete(host);
      left -= this.#tell(host);
    }
  }
}
