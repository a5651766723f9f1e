/** What a request asks of the server, seen from outside: which level it belongs to, and how much of it it takes. */
import type { Resource, Verb } from '../resource.ts';

/**
 * - `system`: what a person needs to see what goes on and to put it right: discovery, the objects of the estate (hosts,
 *   networks, namespaces), flows. Small, and never behind the work of projects.
 * - `reads`: one object. `lists`: many, and the beginning of a watch that shows what is there.
 * - `writes`: every change in a project.
 */
export const LEVELS = ['system', 'reads', 'lists', 'writes'] as const;
export type LevelName = (typeof LEVELS)[number];

export interface Asked {
  /** Undefined for what is no resource. */
  scope: Resource['scope'] | undefined;
  verb: Verb | undefined;
  /** Whether only one object can be selected. */
  single: boolean;
}

/** The level that a request belongs to. A watch belongs to the one of its beginning. */
export function levelOf({ scope, verb, single }: Asked): LevelName {
  if (scope === undefined || verb === undefined) return 'system';
  if ((verb === 'list' || verb === 'watch') && !single) return 'lists';
  if (scope === 'Cluster') return 'system';
  return verb === 'get' || verb === 'list' || verb === 'watch' ? 'reads' : 'writes';
}

/** Bytes of a body for which one seat is taken. */
export const BODY_BYTES_PER_SEAT = 64 * 1024;
/** Bytes of a body that the room of one request is for, while it waits. */
const BODY_BYTES_PER_ROOM = 8 * 1024;
/** What a connection takes in of a body that nobody reads yet. */
const READ_AHEAD_BYTES = 64 * 1024;

/** Seats and room for a body. `length`: bytes, as declared; undefined when they are not. */
export function bodyDemand(length: number | undefined): { seats: number; room: number } {
  const held = Math.min(length ?? READ_AHEAD_BYTES, READ_AHEAD_BYTES);
  return {
    seats: 1 + Math.floor((length ?? 0) / BODY_BYTES_PER_SEAT),
    room: 1 + Math.floor(held / BODY_BYTES_PER_ROOM),
  };
}
