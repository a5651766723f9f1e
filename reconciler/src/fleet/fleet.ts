/** What controllers and flows see of the agents. Wire types stop behind this interface. */
import type { HostResource, LiveResource, OpaqueResource, PlumbError, ResourceType } from '@plumb/schemas';
import type { HostTrouble } from '@plumb/schemas/wire/messages.ts';
import type { Likeness } from './likeness.ts';

export interface Fleet {
  /** Every host that is attached or whose live state is still remembered, by name. */
  hosts(): Iterable<HostLive>;
  host(name: string): HostLive | undefined;
  /** Live resources made for the object `uid`, on any host. */
  ownedBy(uid: string): Iterable<{ host: string; resource: LiveResource }>;
  /** Whether exactly these resources live for the object `uid`, all of them on the host. Much cheaper than reading them. */
  isExactly(uid: string, host: string, resources: readonly LiveResource[]): boolean;
  /**
   * What lives for objects that have resources like these, the example's: each for its own uid in place of `owner`, and with
   * words of its own in place of the blanks in strings of specs; cf. `blank`. Good for this fleet only.
   */
  likeness(owner: string, resources: readonly LiveResource[]): Likeness;
  /** As {@link isExactly} of the example's resources with this uid and these words. False where the words are no plain ones. */
  isLike(likeness: Likeness, uid: string, host: string, words: readonly string[]): boolean;
  /** The object `uid` as the owner of what lives; undefined when nothing lives for it. */
  owned(uid: string): OwnedLive | undefined;
  /**
   * Sends the steps to the host and resolves with what became of each, after live state shows their effects.
   * Rejects with a retryable PlumbError (`HostNotConnected`, `HostDisconnected`, `HostRefused`, `HostNotAnswering`) when the
   * outcome is unknown or the host refused the whole command; the steps are idempotent, so sending them again is safe. Of what
   * is to be removed the host learns no more than what it is.
   */
  send(host: string, command: FleetCommand, attention?: CommandAttention): Promise<StepOutcome[]>;
  /** Whether hosts wait to be let in, or many have just come: one that is not connected may be among them. */
  readonly crowded: boolean;
  /** Whether the host was let in and has not told yet everything that lives there: it is heard, but not connected. */
  isTelling(host: string): boolean;
  /** Why the host is not heard although its agent proved who it is; undefined when it is heard, or did not ask. */
  refusalOf(host: string): PlumbError | undefined;
  /** Why the host gets nothing new: it did not answer in time of late. Undefined when it may. */
  silenceOf(host: string): PlumbError | undefined;
  /** Whether it has not answered for a while, and may answer still. */
  isSlow(host: string): boolean;
  /** A person gives a host another try that did not answer in time. */
  forgive(host: string): void;
  /** Calls `listener` after live state changed. Returns a function that ends it. */
  onChange(listener: (change: LiveChange) => void): () => void;
}

/** What lives for one object, on all hosts together. */
export interface OwnedLive {
  readonly uid: string;
  /** Another after each change of it; 0 for ever when nothing lives for it any more. */
  readonly version: number;
}

export interface HostLive {
  readonly name: string;
  /** True between a successful Attach with its snapshot and the end of the stream. */
  readonly connected: boolean;
  readonly facts: HostFacts;
  /** Types of resources that are known here, and that its agent does not handle. */
  readonly lacks: readonly string[];
  /** What its agent says is wrong with the host as a whole; nothing is known of a host that no agent speaks for. */
  readonly troubles: readonly HostTrouble[];
  /** The last that was heard when not connected. */
  readonly resources: LiveResources;
  /** What lives there and is of types that are not known here, by resourceKey: it is listed, and nothing else is done with it. */
  readonly opaque: ReadonlyMap<string, OpaqueResource>;
  /** Another after each change of an image, a bridge or a subnet there. */
  readonly sharedVersion: number;
  /** uids of the objects for which something lives there, each once. */
  owners(): Iterable<string>;
  /** Those of them that have an image, a bridge or a subnet there: few, however many instances there are. */
  sharers(): Iterable<string>;
}

/** Resources by resourceKey. Reading one may put it together anew: keep it while it is needed, and change nothing in it. */
export interface LiveResources {
  readonly size: number;
  get(key: string): LiveResource | undefined;
  has(key: string): boolean;
  keys(): Iterable<string>;
  values(): Iterable<LiveResource>;
}

/** What the agent says of its host, cut to bounds, and nobody has checked; `capacity.ts` says what of it counts. */
export interface HostFacts {
  driver: string;
  agentVersion: string;
  cpus: number;
  memoryMiB: number;
  tunnelAddress: string;
  /** Where its stream comes from: the one thing that it cannot choose. Empty when that is not known. */
  streamAddress: string;
}

export interface FleetCommand {
  /** uid of the object whose flow sends it. */
  owner: string;
  /** Store revision of the flow's last turn. */
  fence: number;
  /** Of what is to be removed the identity alone is sent: its spec is never looked at. */
  steps: { id: string; verb: 'ensure' | 'remove'; resource: HostResource }[];
}

/** Of whoever waits for a command. */
export interface CommandAttention {
  /**
   * Aborted when nobody waits any more for what may take long in it, the fetch of an image: the host ends that, and the
   * outcome comes at once (`Aborted`, retry).
   */
  signal?: AbortSignal;
  /** Told now and then how far a fetch is. `ofBytes`: as its source announced, if it did. */
  onProgress?(progress: { bytes: number; ofBytes: number | undefined }): void;
}

/** In the order of the steps; steps after the first failure were not tried and are absent. */
export interface StepOutcome {
  step: string;
  error?: PlumbError;
  /** What a person should know of how it was done. */
  note?: string;
}

export type LiveChange =
  /** A host attached, detached, was refused or sent a whole snapshot. */
  | { type: 'host'; host: string }
  /** A host says something else of its troubles. */
  | { type: 'troubles'; host: string }
  /** A resource changed or went. */
  | { type: 'resource'; host: string; kind: ResourceType; id: string; owner: string };
