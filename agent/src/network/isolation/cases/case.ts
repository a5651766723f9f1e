/** One row of the matrix: a frame, and who may hear it. */
import type { Card, Party } from '../world.ts';

/** To whom frames are sent, in the order of the table's columns. */
export const targets = ['guest', 'neighbour', 'gateway', 'host', 'outside'] as const;
export type Target = (typeof targets)[number];

/** What a frame is made of: who sends it, to whom, and all whose names may be taken. */
export interface Scene {
  own: Card;
  to: Card;
  cards: Record<Party, Card>;
  /** A number of its own for every frame: by its bytes it is told from others. */
  serial: number;
}

export interface Case {
  from: Target;
  group: string;
  what: string;
  /** Rows of one sender and group with the same title are shown as one; `what`, if absent. */
  title?: string;
  /** `each`: one frame for each target, with its address; `all`: one frame for everybody. */
  to: 'each' | 'all';
  frame: (scene: Scene) => Buffer;
  heard: readonly Target[];
}

/** A row with its sender and group still missing. */
export type Row = Omit<Case, 'from' | 'group'>;

export function cases(from: Target, group: string, rows: readonly Row[]): Case[] {
  return rows.map((row) => ({ from, group, ...row }));
}
