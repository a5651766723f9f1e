/** The flows that are written down, in memory beside the store. One flow per object. */

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
}

const MAX_NOTES = 100;

export class Journal {
  private readonly store: Store;
  private readonly flows = new Map<string, Journaled>();
  private readonly stepNotes = new Map<string, StepNote[]>();
  private readonly resumed = new Set<string>();

  private constructor(store: Store) {
    this.store = store;
  }

  static async load(store: Store): Promise<Journal> {
    const journal = new Journal(store);
    const { entries } = await store.list(keys.flow(''));
    for (const { value, revision } of entries) {
      const record = decodeFlow(value);
      journal.flows.set(record.uid, { record, revision });
      journal.resumed.add(record.uid);
    }
    return journal;
  }

  get(uid: string): Journaled | undefined {
    return this.flows.get(uid);
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
      preconditions: [{ key, revision: this.flows.get(record.uid)?.revision ?? 0 }],
      ops: [{ type: 'put', key, value: encodeFlow(record) }],
    };
  }

  /** What a batch needs to end the flow. */
  ending(uid: string): { preconditions: Precondition[]; ops: Op[] } {
    const flow = this.flows.get(uid);
    if (!flow) return { preconditions: [], ops: [] };
    const key = keys.flow(uid);
    return { preconditions: [{ key, revision: flow.revision }], ops: [{ type: 'delete', key }] };
  }

  /** The batch with `writing(record)` is durable. */
  written(record: FlowRecord, revision: number): Journaled {
    const journaled = { record, revision };
    this.flows.set(record.uid, journaled);
    return journaled;
  }

  /** The batch with `ending(uid)` is durable. */
  ended(uid: string): void {
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
