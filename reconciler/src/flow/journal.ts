/**
 * The flows that are written down, in memory, kept current by a {@link StoreFeed}, whoever writes them. One flow per object.
 * What this process writes is known as soon as it is durable, and is not read again when the feed brings it.
 */

import { PlumbError } from '@plumb/schemas';
import type { HoldingTypes } from '../plan/holding.ts';
import type { Follower } from '../store/follower.ts';
import { keys } from '../store/keys.ts';
import type { Op, Precondition, Store } from '../store/store.ts';
import { decodeFlow, encodeFlow, type FlowRecord } from './record.ts';

export interface Journaled {
  record: FlowRecord;
  /** Store revision of the flow's last turn: the fence of its commands. */
  revision: number;
}

/** What became of a step, for people; kept while the flow lasts, in memory. */
export interface StepNote {
  /** Milliseconds since the epoch. */
  at: number;
  step: string;
  host: string;
  /** Absent when the step was done. */
  error?: string;
  /** What a person should know of how it was done. */
  note?: string;
}

const MAX_NOTES = 100;

export interface FlowChange {
  /** Of the object. */
  uid: string;
  /** Of the object, where the flow says it. */
  key: string | undefined;
  /** Whether another process wrote, or ended, the flow. */
  foreign: boolean;
}

/** Is told which records of flows cannot be read, and which of them are replaced or gone. */
export interface UnreadFlows {
  noteRecord(key: string, what: string): void;
  clearRecord(key: string): void;
}

export class Journal implements Follower {
  readonly prefix = keys.flow('');
  private readonly store: Store;
  private readonly types: HoldingTypes;
  private readonly flows = new Map<string, Journaled>();
  private readonly stepNotes = new Map<string, StepNote[]>();
  /** uids of objects whose flow another process wrote last. */
  private readonly resumed = new Set<string>();
  /** uid → a flow that cannot be read: what is under way for the object is not known. */
  private readonly unread = new Map<string, { what: string; revision: number }>();
  /** uid → what this process is about to write, by its text. */
  private readonly own = new Map<string, { record: FlowRecord; text: string }>();
  /** uid → revision of the flow that this process is about to end. */
  private readonly ends = new Map<string, number>();
  private seen = 0;
  private readonly told: UnreadFlows;
  private readonly listeners = new Set<(change: FlowChange) => void>();

  /** `types`: of what objects of the kinds hold. What cannot be read is told to `told`, and stops no other flow. */
  constructor(store: Store, types: HoldingTypes, told: UnreadFlows = { noteRecord() {}, clearRecord() {} }) {
    this.store = store;
    this.types = types;
    this.told = told;
  }

  /** Follower: the flow at the key is this now, or gone. */
  take(key: string, value: string | undefined, revision: number): void {
    const uid = key.slice(this.prefix.length);
    if ((this.revisionOf(uid) ?? 0) >= revision) return;
    if (value === undefined) {
      this.ended(uid);
      return;
    }
    const own = this.own.get(uid);
    if (own?.text === value) {
      this.put(own.record, revision);
      return;
    }
    try {
      const record = decodeFlow(uid, value, this.types);
      this.resumed.add(uid);
      this.put(record, revision, true);
    } catch (error) {
      const { message } = PlumbError.from(error, key);
      this.flows.delete(uid);
      this.unread.set(uid, { what: message, revision });
      this.told.noteRecord(key, message);
      this.tell({ uid, key: undefined, foreign: true });
    }
  }

  knownRevision(key: string): number | undefined {
    return this.revisionOf(key.slice(this.prefix.length));
  }

  *knownKeys(): Generator<string> {
    for (const uid of [...this.flows.keys(), ...this.unread.keys()]) yield keys.flow(uid);
  }

  reached(revision: number): void {
    this.seen = revision;
  }

  /** Calls `listener` after each change of a flow, once or twice for the same. Returns a function that ends it. */
  onChange(listener: (change: FlowChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Why the flow of the object cannot be read; undefined when there is none that cannot. */
  unreadable(uid: string): string | undefined {
    return this.unread.get(uid)?.what;
  }

  /** How many flows cannot be read. */
  get unreadableFlows(): number {
    return this.unread.size;
  }

  get(uid: string): Journaled | undefined {
    return this.flows.get(uid);
  }

  /** Whether there is a flow of the object, readable or not. */
  knows(uid: string): boolean {
    return this.flows.has(uid) || this.unread.has(uid);
  }

  all(): Iterable<Journaled> {
    return this.flows.values();
  }

  /** Whether another process wrote the flow last, an earlier one maybe: what its plan was made from may have changed unseen. */
  isResumed(uid: string): boolean {
    return this.resumed.has(uid);
  }

  /** Remembers what became of a step of the flow; the oldest of many are forgotten. */
  note(uid: string, note: StepNote): void {
    const notes = this.stepNotes.get(uid) ?? [];
    notes.push(note);
    if (notes.length > MAX_NOTES) notes.shift();
    this.stepNotes.set(uid, notes);
  }

  /** What became of the steps of the running flow since this process started, oldest first. */
  notes(uid: string): readonly StepNote[] {
    return this.stepNotes.get(uid) ?? [];
  }

  /** What a batch needs to begin a flow, or to put it in place of the one that is there. {@link written} is to follow. */
  writing(record: FlowRecord): { preconditions: Precondition[]; ops: Op[] } {
    const { uid } = record;
    const key = keys.flow(uid);
    const text = encodeFlow(record, this.types.get(record.kind));
    this.own.set(uid, { record, text });
    return {
      preconditions: [{ key, revision: this.revisionOf(uid) ?? 0 }],
      ops: [{ type: 'put', key, value: text }],
    };
  }

  /** What a batch needs to end the flow. It is known as ended when the feed has brought the batch. */
  ending(uid: string): { preconditions: Precondition[]; ops: Op[] } {
    const revision = this.revisionOf(uid);
    if (revision === undefined) return { preconditions: [], ops: [] };
    const key = keys.flow(uid);
    this.ends.set(uid, revision);
    return { preconditions: [{ key, revision }], ops: [{ type: 'delete', key }] };
  }

  private revisionOf(uid: string): number | undefined {
    return this.flows.get(uid)?.revision ?? this.unread.get(uid)?.revision;
  }

  private read(uid: string): void {
    if (this.unread.delete(uid)) this.told.clearRecord(keys.flow(uid));
  }

  private put(record: FlowRecord, revision: number, foreign = false): Journaled {
    const journaled = { record, revision };
    this.read(record.uid);
    this.flows.set(record.uid, journaled);
    this.tell({ uid: record.uid, key: record.key, foreign });
    return journaled;
  }

  private ended(uid: string): void {
    this.read(uid);
    const flow = this.flows.get(uid);
    const foreign = this.ends.get(uid) !== this.revisionOf(uid);
    this.read(uid);
    this.flows.delete(uid);
    this.stepNotes.delete(uid);
    this.resumed.delete(uid);
    this.ends.delete(uid);
    this.tell({ uid, key: flow?.record.key, foreign });
  }

  private tell(change: FlowChange): void {
    for (const listener of this.listeners) listener(change);
  }

  /** A turn of the flow by itself: made durable before it is acted on. */
  async turn(record: FlowRecord): Promise<Journaled> {
    const committed = this.store.commit(this.writing(record));
    return this.written(
      record.uid,
      committed.then(({ revision }) => ({ result: record, revision })),
    );
  }

  /** Waits until the batch with `writing` of a flow of the object is durable; its result is the record. */
  async written(uid: string, committed: Promise<{ result: FlowRecord; revision: number }>): Promise<Journaled> {
    try {
      const { result: record, revision } = await committed;
      // What the feed has brought may be replaced or ended again by now.
      if (revision > this.seen) return this.put(record, revision);
      const known = this.flows.get(uid);
      return known?.revision === revision ? known : { record, revision };
    } finally {
      this.own.delete(uid);
    }
  }
}
