/**
 * What objects claim so that no other gets it: amounts of a host, which add up to what it has, and keys in pools, of which each has
 * one holder. A kind that claims something else defines it once, beside its own code:
 *
 *   export const GPUS = amounts.define({ name: 'gpus', lacking: 'have too few free GPUs' });
 *   export const VNI = pools.define({ name: 'vni', ordinal: Number });
 *
 * In memory it is the number that it gets there; in the store it has its name, so that no order is a format.
 */

/** Something that hosts have so much of. */
export interface AmountKind {
  /** In the record of what is handed out on a host. */
  readonly name: string;
  /** What hosts do that have too little left, for people: `have too few free CPUs`. Absent: it is counted, and never short. */
  readonly lacking?: string;
  /** Whether every record has it; what is absent in others is 0. */
  readonly always?: true;
}

/** Keys of which each has one holder, in the store below `/alloc/<name>/`. */
export interface PoolKind {
  readonly name: string;
  /** The number that the last part of a key means, below what comes before it: so the lowest free one is found. */
  ordinal?(last: string): number | undefined;
}

class Registry<T extends { readonly name: string }> {
  readonly #all: T[] = [];
  readonly #numbers = new Map<string, number>();

  /** Its number from now on. */
  define(kind: T): number {
    if (this.numberOf(kind.name) >= 0) throw new Error(`${kind.name} is defined twice`);
    this.#numbers.set(kind.name, this.#all.length);
    return this.#all.push(kind) - 1;
  }

  get all(): readonly T[] {
    return this.#all;
  }

  /** -1 for a name that was never defined. */
  numberOf(name: string): number {
    return this.#numbers.get(name) ?? -1;
  }
}

export const amounts = new Registry<AmountKind>();
export const pools = new Registry<PoolKind>();

export const CPUS = amounts.define({ name: 'cpus', lacking: 'have too few free CPUs', always: true });
export const MEMORY_MIB = amounts.define({ name: 'memoryMiB', lacking: 'have too little free memory', always: true });
export const INSTANCES = amounts.define({ name: 'instances', always: true });

/** By the number of the amount; what is absent is 0. */
export type Amounts = readonly number[];

export const NOTHING: Amounts = [];

/** A key of a pool: claimed by one holder. */
export interface ExclusiveKey {
  readonly pool: number;
  readonly key: string;
}

/** What one object claims on one host. */
export interface Claims {
  readonly host: string;
  readonly amounts: Amounts;
  readonly exclusive: readonly ExclusiveKey[];
}

/** `a`, and `sign` times `b`. */
export function plus(a: Amounts, b: Amounts, sign: 1 | -1): number[] {
  const sum: number[] = [];
  for (let n = 0; n < amounts.all.length; n++) sum.push((a[n] ?? 0) + sign * (b[n] ?? 0));
  return sum;
}

export function equalAmounts(a: Amounts, b: Amounts): boolean {
  for (let n = 0; n < amounts.all.length; n++) if ((a[n] ?? 0) !== (b[n] ?? 0)) return false;
  return true;
}

/** The first amount of which `wanted` and `used` together are more than `has`; -1 when there is enough of each. */
export function lackingOf(has: Amounts, used: Amounts, wanted: Amounts): number {
  const { all } = amounts;
  for (let n = 0; n < all.length; n++)
    if (all[n]!.lacking !== undefined && (used[n] ?? 0) + (wanted[n] ?? 0) > (has[n] ?? 0)) return n;
  return -1;
}

/** Whether two claims are one share of their host. */
export function sameShare(a: Claims, b: Claims): boolean {
  return a.host === b.host && equalAmounts(a.amounts, b.amounts);
}
