/** A controller is its contract: what it is called with, what it reads, the one field set that it writes. */
import type { Ambient } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { AllocationIndex } from '../allocation/allocation-index.ts';
import type { Holdings } from '../allocation/holdings.ts';
import type { AllocationLane } from '../allocation/lane.ts';
import type { Fleet } from '../fleet/fleet.ts';
import type { HostLiveness } from '../fleet/liveness.ts';
import type { Journal } from '../flow/journal.ts';
import type { ObjectCache } from '../runtime/cache.ts';
import type { EventRecorder } from '../runtime/events.ts';
import type { Reader } from '../runtime/reader.ts';
import type { UserData } from '../runtime/user-data.ts';
import type { Store } from '../store/store.ts';
import type { Wrote } from './audit.ts';
import type { Contributors } from './contributor.ts';
import type { GitDoor } from './git-door.ts';
import type { KindModule } from './kind-module.ts';
import type { OwnState } from './own-state.ts';
import type { SharedDrifts } from './shared-drift.ts';
import type { SharedProviders } from './shared-provider.ts';

export interface Controller {
  readonly name: string;
  /** How many keys are worked on at once. */
  readonly concurrency: number;
  /**
   * Brings the object at `key` nearer to its declaration. Called with a key, never an event; may be called any time.
   * Throwing means: try again with backoff.
   */
  reconcile(key: string): Promise<Again | undefined>;
}

export interface Again {
  /** Call once more after this many milliseconds. */
  requeueAfterMs: number;
}

/** What controllers are made with. */
export interface Context {
  store: Store;
  /** What objects are: real ones, or such as a preview imagines. */
  read: Reader;
  /** Of the same objects when they change, and what cannot be understood. */
  cache: Omit<ObjectCache, keyof Reader>;
  fleet: Fleet;
  journal: Journal;
  index: AllocationIndex;
  lane: AllocationLane;
  holdings: Holdings;
  liveness: HostLiveness;
  /** User data that lies in Secrets. */
  userData: UserData;
  /** What hosts have told of networks that differ there. */
  drifts: SharedDrifts;
  endpoints: TunnelAddresses;
  limits: ServerLimits;
  /** Undefined where no repository is looked at. */
  git?: GitDoor | undefined;
  events: EventRecorder;
  ambient: Ambient;
  /** uids of instances that had no place when this process began: what they were before it cannot know. */
  unplaced: ReadonlySet<string>;
  /** Told of what is written to objects because a person asked for it otherwise. */
  audit?: ((wrote: Wrote) => void) | undefined;
  /**
   * uids of instances that may hold addresses of which nothing is written: their status or their flow could not be read. What
   * they do not have in the end is freed.
   */
  strays: Set<string>;
  /** Every kind that runs. */
  kinds: readonly KindModule[];
  /** Who says how hosts have what many objects share. */
  providers: SharedProviders;
  /** Who adds to the plans of placed objects. */
  contributors: Contributors;
  /** What a kind remembers; cf. {@link OwnState}. */
  own<T>(state: OwnState<T>): T;
  /** Puts the key into its controller's queue, now or after some milliseconds. */
  enqueue(key: string, afterMs?: number): void;
}

/** Where other hosts send what their networks carry to a host. */
export interface TunnelAddresses {
  /** Empty when the host has none. */
  addressOf(host: string): string;
  /** Why the host has none, or not the one that it declares. */
  problemOf(host: string): { reason: string; message: string } | undefined;
  /** Calls `listener` with a host of which the address may be another now. Returns a function that ends it. */
  onChange(listener: (host: string) => void): () => void;
}
