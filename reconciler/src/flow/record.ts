/** The durable record of a flow: enough to go on, or back, after any crash. */
import { PlumbError, type Thing } from '@plumb/schemas';
import type { Allocation } from '../plan/allocation.ts';
import { PLAN_VERSION, type Plan, type PlanStep } from '../plan/plan.ts';

/** What flows are for: each is proved at every fault point (sim/src/matrix). */
export const flowPurposes = ['create', 'update', 'repair', 'delete'] as const;
export type FlowPurpose = (typeof flowPurposes)[number];

export interface FlowRecord {
  /** Key of the object in the store. */
  key: string;
  uid: string;
  purpose: FlowPurpose;
  /** The generation of the object that the plan was made for. */
  generation: number;
  /**
   * forward: doing. back: undoing. failed: undone whole; kept so that the same inputs are not tried again.
   */
  direction: 'forward' | 'back' | 'failed';
  plan: Plan;
  /** What flows that this one took the place of may have done, first to last: going back means back before them. */
  carried?: PlanStep[];
  /** What the object holds when the flow has gone forward to its end; absent when it then holds nothing. */
  target?: Allocation;
  /** What the object held before, and what superseded flows had taken: freed at the end unless kept. */
  held: Allocation[];
  /** Fingerprint of everything the plan was made from; a failed flow is planned again only when it changes. */
  inputs: string;
  /** Why it goes back, went back, or cannot go on. */
  failure?: FlowFailure;
  /** Set while undo, or a step behind the pivot, fails: visible and retried, never dropped. */
  stuck?: FlowFailure;
  /** When the flow was planned, milliseconds since the epoch. */
  startedAt: number;
  /** How often a step that disturbs what runs was begun: durable before it is sent. Absent: never. */
  attempts?: number;
  /** Of a flow that failed: the things of the object as they were made before it, to be held so. */
  former?: Thing[];
}

export interface FlowFailure {
  reason: string;
  message: string;
  step?: string;
  host?: string;
  /** What is taken back because of it, in words; absent while nothing is. */
  undone?: string[];
}

/** The failure in one sentence for people: what, which step, which host, and what was undone. */
export function failureSentence({ message, undone }: FlowFailure): string {
  if (undone === undefined) return message;
  return `${message}; ${undone.length > 0 ? `undone: ${undone.join(', ')}` : 'there was nothing to undo'}`;
}

export function encodeFlow(record: FlowRecord): string {
  return JSON.stringify(record);
}

/** Throws terminal `FlowVersion` for a plan that a newer Plumb wrote: an older one must not guess what it means. */
export function decodeFlow(value: string): FlowRecord {
  const record = JSON.parse(value) as FlowRecord;
  if (record.plan.version !== PLAN_VERSION)
    throw new PlumbError({
      reason: 'FlowVersion',
      message: `the flow of ${record.key} has plan version ${record.plan.version}; this Plumb knows ${PLAN_VERSION}. Run the Plumb that wrote it, or a newer one.`,
      retry: 'terminal',
    });
  return record;
}

/** Everything that the object may hold while the flow lasts. */
export function everHeld(record: FlowRecord): Allocation[] {
  return record.target ? [...record.held, record.target] : record.held;
}
