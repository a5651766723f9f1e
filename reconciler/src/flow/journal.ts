/** The flows that are written down, in memory beside the store. One flow per object. */

import { PlumbError } from '@plumb/schemas';
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

/** Is told which records of flows cannot be read, and which of them are replaced or gone. */
export interface UnreadFlows {
  noteRecord(key: string, what: string): void;
  clearRecord(key: string): void;
}

export class Journal {
  private readonly store: Store;
  private readonly flows = new Map<string, Journaled>();
  private readonly stepNotes = new Map<string, StepNote[]>();
  private readonly resumed = new Set<string>();
  /** uid → a flow that cannot be read: what is under way for the object is not known. */
  private readonly unread = new Map<string, { what: string; revision: number }>();
  private readonly told: UnreadFlows;

  private constructor(store: Store, told: UnreadFlows) {
    this.store = store;
    this.told = told;
  }

  /** What cannot be read is told to `told`, and stops no other flow. */
  static async load(store: Store, told: UnreadFlows = { noteRecord() {}, clearRecord() {} }): Promise<Journal> {
    const journal = new Journal(store, told);
    const { entries } = await store.list(keys.flow(''));
    for (const { key, value, revision } of entries) {
      const uid = key.slice(keys.flow('').length);
      try {
        journal.flows.set(uid, { record: decodeFlow(uid, value), revision });
        journal.resumed.add(uid);
      } catch (error) {
        const { message } = PlumbError.from(error, key);
        journal.unread.set(uid, { what: message, revision });
        told.noteRecord(key, message);
      }
    }
    return journal;
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

  /** Whether the flow was begun by an earlier process: what its plan was made from may have changed unseen. */
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

  /** What a batch needs to begin a flow, or to put it in place of the one that is there. */
  writing(record: FlowRecord): { preconditions: Precondition[]; ops: Op[] } {
    const key = keys.flow(record.uid);
    return {
      preconditions: [{ key, revision: this.revisionOf(record.uid) ?? 0 }],
      ops: [{ type: 'put', key, value: encodeFlow(record) }],
    };
  }

  /** What a batch needs to end the flow. */
  ending(uid: string): { preconditions: Precondition[]; ops: Op[] } {
    const revision = this.revisionOf(uid);
    if (revision === undefined) return { preconditions: [], ops: [] };
    const key = keys.flow(uid);
    return { preconditions: [{ key, revision }], ops: [{ type: 'delete', key }] };
  }

  private revisionOf(uid: string): number | undefined {
    return this.flows.get(uid)?.revision ?? this.unread.get(uid)?.revision;
  }

  private read(uid: string): void {
    if (this.unread.delete(uid)) this.told.clearRecord(keys.flow(uid));
  }

  /** The batch with `writing(record)` is durable. */
  written(record: FlowRecord, revision: number): Journaled {
    const journaled = { record, revision };
    this.read(record.uid);
    this.flows.set(record.uid, journaled);
    return journaled;
  }

  /** The batch with `ending(uid)` is durable. */
  ended(uid: string): void {
    this.read(uid);
    this.flows.delete(uid);
    this.stepNotes.delete(uid);
    this.resumed.delete(uid);
  }

  /** A turn of the flow by itself: made durable before it is acted on. */
  async turn(record: FlowRecord): Promise<Journaled> {
    const { revision } = await this.store.commit(this.writing(record));
    return this.written(record, revision);
  }
}
