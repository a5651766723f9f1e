/**
 * What a kind remembers of what it saw, so that it need not look at everything again: which hosts have room, who is in which spread
 * group. It follows from the store and from what lives, and begins anew with each process. A kind lists it in its module:
 *
 *   export const spreadGroups: OwnState<SpreadGroups> = { name: 'spread groups', begin: (context) => new SpreadGroups(context) };
 *   …  keeps: [spreadGroups]  …
 *   context.own(spreadGroups).counts(instance)
 */
import type { Context } from './controller.ts';
import type { Found } from './first-look.ts';
import type { Hypothesis } from './kind-preview.ts';

export interface OwnState<T> {
  /** What it is, for people. */
  readonly name: string;
  /** Begins before any controller is at work. `found`: what the first look at the store found. */
  begin(context: Context, found: Found): T & { stop?(): void };
  /** What it would be if the objects of the hypothesis were there; as it is, if absent. Ends before anything else runs. */
  imagine?(real: T, imagined: Context, hypothesis: Hypothesis): T & { stop?(): void };
}

export class OwnStates {
  readonly #states = new Map<OwnState<unknown>, { stop?(): void }>();

  begin(kept: Iterable<OwnState<unknown>>, context: Context, found: Found): void {
    for (const state of kept) if (!this.#states.has(state)) this.#states.set(state, state.begin(context, found));
  }

  get<T>(state: OwnState<T>): T {
    const begun = this.#states.get(state);
    if (begun === undefined) throw new Error(`no kind lists ${state.name} among what it keeps`);
    return begun as T;
  }

  /** Ends the timers of all. */
  stop(): void {
    for (const state of this.#states.values()) state.stop?.();
  }
}
