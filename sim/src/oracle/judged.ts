import type { LiveResource } from '@plumb/schemas';

/** What is judged: a store, and hosts with what lives there. A simulated world, or real servers and agents beside simulated hosts. */
export interface Judged {
  readonly machines: ReadonlyMap<string, JudgedHost>;
  readonly disk: { readonly entries: ReadonlyMap<string, { readonly value: string }> };
  /** Whether the store was put back to an earlier time. */
  readonly restored: boolean;
  /** The time, and how far the clock of the control plane is from it. */
  readonly loop: { readonly now: number };
  readonly skew: { readonly ms: number };
}

export interface JudgedHost {
  readonly name: string;
  /** Everything on the host, by resourceKey. */
  resources(): ReadonlyMap<string, LiveResource>;
}
