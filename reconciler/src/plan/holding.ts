/** What an object of a kind holds on a host: decided by its plan, written down in its flow, kept in its status. */
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import type { Claims } from './claims.ts';

export interface Held {
  readonly host: string;
}

/** How what objects of one kind hold is written down, and what follows from it. Pure. */
export interface HoldingType<H extends Held = Held> {
  readonly kind: string;
  /** What a program relies on that reads it. */
  readonly schema: SchemaNode;
  /** Why the object cannot hold this, although it has the shape; undefined when it can. Records are not believed. */
  whyNot?(uid: string, held: H): string | undefined;
  /** What an object with this status holds; undefined when it holds nothing. */
  settled(status: object | undefined): H | undefined;
  /** What no other object gets because of it. */
  claims(held: H): Claims;
  /** uids of the L3Networks, or of the L2Networks by themselves, that its host is to have for it. Absent: none. */
  networks?(held: H): readonly string[];
  /** Sum of the image of which it has a clone. Absent: none. */
  image?(held: H): string;
  /** All of it but its host, networks and image, so that any change is seen. Absent: by its text. */
  digest?(held: H, into: HeldDigest): void;
  /** Long words that stand in the record of its flow many times. */
  words?(held: H): Iterable<string>;
}

/** Takes what is held apart; `word` is for texts that many objects share. */
export interface HeldDigest {
  number(value: number): void;
  text(text: string): void;
  word(text: string): void;
}

/** By name of the kind. */
export type HoldingTypes = ReadonlyMap<string, HoldingType>;
