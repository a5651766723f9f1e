/**
 * Looks at every instance, whether or not anything was heard of it: the net under the changes that agents tell. What
 * differs is given to the controller, which decides as always.
 *
 * Two ways. By content: everything that an instance should have is worked out and compared with everything that lives for
 * it. By digests: an instance that was found to be the same stays so as long as nothing changed that was compared, which
 * the revisions of objects and the versions of live state tell; only others are compared by content. Both find the same.
 */
import type { Instance } from '@plumb/schemas';
import type { HostLive, OwnedLive } from '../../fleet/fleet.ts';
import type { Cached } from '../../runtime/cache.ts';
import { contributionsVersion } from '../contributor.ts';
import type { Context } from '../controller.ts';
import { type PlacedContext, placedContext } from '../placed/placed-kind.ts';
import { judge, type Verdict } from '../placed/verdict.ts';
import { Glance } from './glance.ts';
import { instancePlaced } from './placed.ts';
import type { ResolvedInstance } from './references.ts';
import { type References, SeenReferences } from './seen-references.ts';

export interface ScanFound {
  /** How many instances there are of each verdict. */
  counts: Record<Verdict, number>;
  /** How many were compared by content. */
  compared: number;
  /** Keys of the instances that differ. */
  differing: string[];
}

/** Instances that are looked at in one turn of the event loop, a few milliseconds' work. */
const SLICE = 128;

/** All from which it followed that an instance is the same, as it was then. */
interface Same {
  revision: number;
  references: References;
  referencesVersion: number;
  owned: OwnedLive;
  ownedVersion: number;
  host: HostLive;
  sharedVersion: number;
}

export class DriftScan {
  readonly #context: PlacedContext;
  /** By the cache's slot. */
  #same: (Same | undefined)[] = [];
  /** What others contribute, as it was then. */
  #contributions = -1;
  readonly #references: SeenReferences;
  readonly #glance: Glance;

  constructor(context: Context) {
    this.#context = placedContext(context, instancePlaced);
    this.#references = new SeenReferences(context.cache);
    this.#glance = new Glance(context, this.#references);
  }

  /** Compares everything by content. `breathe` is awaited between slices of it. */
  async byContent(breathe: () => Promise<void>): Promise<ScanFound> {
    this.#same = [];
    this.#contributions = contributionsVersion(this.#context);
    this.#references.clear();
    return this.#compare(this.#slots(), found(), breathe);
  }

  /** Compares by content only what may have changed since it was found to be the same. */
  async byDigests(breathe: () => Promise<void>): Promise<ScanFound> {
    const result = found();
    const version = contributionsVersion(this.#context);
    if (version !== this.#contributions) this.#same = [];
    this.#contributions = version;
    return this.#compare(this.#changed(result), result, breathe);
  }

  #slots(): number[] {
    const slots: number[] = [];
    this.#context.cache.eachRevision('instances', (slot) => slots.push(slot));
    return slots;
  }

  /** Slots of the instances that are not certainly the same; the others are counted. */
  #changed(result: ScanFound): number[] {
    this.#references.lookAgain();
    const withFlow = new Set(Array.from(this.#context.journal.all(), ({ record }) => record.uid));
    const changed: number[] = [];
    let same = 0;
    this.#context.cache.eachRevision('instances', (slot, revision) => {
      const then = this.#same[slot];
      if (then !== undefined && holds(then, revision) && !(withFlow.size > 0 && withFlow.has(then.owned.uid))) same++;
      else changed.push(slot);
    });
    result.counts.same += same;
    return changed;
  }

  async #compare(slots: readonly number[], result: ScanFound, breathe: () => Promise<void>): Promise<ScanFound> {
    for (const [n, slot] of slots.entries()) {
      if (n % SLICE === SLICE - 1) {
        await breathe();
        this.#references.nextTurn();
      }
      this.#compareAlone(slot, result);
    }
    this.#glance.clear();
    return result;
  }

  /** An instance on which this throws differs, and all others are looked at. */
  #compareAlone(slot: number, result: ScanFound): void {
    const { cache } = this.#context;
    try {
      this.#compareOne(slot, result);
    } catch (error) {
      const key = cache.inSlot(slot)?.key;
      if (key === undefined) return;
      cache.poisoned.note(key, 'the scan for drift', error);
      result.counts.differs++;
      result.differing.push(key);
    }
  }

  #compareOne(slot: number, result: ScanFound): void {
    const { cache, fleet } = this.#context;
    const cached = cache.inSlot<Instance>(slot);
    this.#same[slot] = undefined;
    // It went meanwhile, and something else may be in its place.
    if (cached?.kind.kind !== 'Instance') return;
    result.compared++;
    const atAGlance = this.#glance.sameBy(cached);
    if (atAGlance !== undefined) result.counts.same++;
    const references = atAGlance ?? this.#judged(cached, result);
    if (references === undefined) return;
    const owned = fleet.owned(cached.object.metadata.uid);
    const host = fleet.host(cached.object.status!.host!);
    if (owned === undefined || host === undefined) return;
    this.#same[slot] = {
      revision: cached.revision,
      references,
      referencesVersion: references.version,
      owned,
      ownedVersion: owned.version,
      host,
      sharedVersion: host.sharedVersion,
    };
  }

  /** Counts what the planner finds. What the instance refers to, if nothing but a change of it or of a version makes it differ. */
  #judged(cached: Cached<Instance>, { counts, differing }: ScanFound): References | undefined {
    const { verdict, resolved } = judge(this.#context, cached);
    counts[verdict]++;
    if (verdict === 'differs') differing.push(cached.key);
    if (verdict !== 'same' || resolved === undefined || !hasDeclaredSize(cached.object, resolved as ResolvedInstance))
      return undefined;
    return this.#references.of(resolved.used.map(({ key }) => key));
  }
}

/** One that waits for another size may get it when others leave its host, of which no version here tells. */
function hasDeclaredSize({ status }: Instance, { references }: ResolvedInstance): boolean {
  const { cpus, memoryMiB } = references.offering.spec;
  return status?.cpus === cpus && status.memoryMiB === memoryMiB;
}

/** Whether nothing changed since. A version is never used again, so that equal ones are of the same thing. */
function holds(then: Same, revision: number): boolean {
  return (
    then.revision === revision &&
    then.referencesVersion === then.references.version &&
    then.ownedVersion === then.owned.version &&
    then.sharedVersion === then.host.sharedVersion &&
    then.host.connected
  );
}

function found(): ScanFound {
  return { counts: { same: 0, differs: 0, unknown: 0, underWay: 0 }, compared: 0, differing: [] };
}
