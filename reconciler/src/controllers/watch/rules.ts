/**
 * Who is woken by what. Each kind declares it beside its controller, as data that the documentation prints:
 *
 *   { source: 'object', of: 'Host', when: 'declared otherwise, Ready or not', wake: (_, { own }) => own(waiting).all() }
 *
 * wakes, when a Host changed, the instances that wait for room. What is woken is one's own kind. A wake is a hint, never more: a
 * controller decides by what it reads, and may be woken for nothing.
 *
 * Not to be declared, since the references of the kinds say it (`derived.ts`): an object is woken when it is declared otherwise, when
 * what it refers to changed, and when who refers to it came or went.
 */
import type { HoldingsChange } from '../../allocation/holdings.ts';
import type { LiveChange } from '../../fleet/fleet.ts';
import type { CacheChange, Cached } from '../../runtime/cache.ts';
import type { Context } from '../controller.ts';

/** Every kind. */
export const ANY = 'any';

/** Of every kind whose objects are made on a host that is chosen for them. */
export const PLACED = 'placed';

export type WatchRule = ObjectRule | UsersRule | ClaimRule | HostRule | LiveRule;

interface Rule<E> {
  /** When it wakes, as the documentation has it, in words. */
  readonly when: string;
  /** Many come and go at once: the object is woken as when who refers to it came or went, once for all of them. */
  readonly asUsed?: true;
  /** Keys of what is to be looked at. */
  wake(event: E, context: Context): Iterable<string>;
}

/** An object changed in the store. What is set aside counts as gone. */
export interface ObjectRule extends Rule<ObjectChange> {
  readonly source: 'object';
  /** The name of its kind, {@link ANY}, or {@link PLACED}. */
  readonly of: string;
}

export interface ObjectChange extends CacheChange {
  /** Whether others may decide otherwise because of it, and not only its own controller. */
  readonly material: boolean;
}

/** Who uses an object came or went: what is behind the object may be used or not by that. */
export interface UsersRule extends Rule<Cached> {
  readonly source: 'users';
  readonly of: string;
}

/** An object came to hold something else. */
export interface ClaimRule extends Rule<HoldingsChange> {
  readonly source: 'claim';
}

/** A host came, went, is lost, …. */
export type HostRule = {
  [T in HostEvent['type']]: Rule<HostEvent & { type: T }> & { readonly source: 'host'; readonly on: T };
}[HostEvent['type']];

export type HostEvent =
  /** It attached or detached. */
  | { type: 'moved'; host: string; connected: boolean }
  /** What its agent says is wrong with it is something else, or others are to send elsewhere to reach it. */
  | { type: 'told'; host: string }
  /** It was away for so long that it is not waited for. */
  | { type: 'lost'; host: string }
  /** Hosts attached, detached or have another address, and for a moment no more did. */
  | { type: 'gathered'; hosts: ReadonlySet<string>; sharing: Sharing };

export interface Sharing {
  /** Keys of the objects of this kind (by its plural) that have something on the hosts, or are to have; perhaps of more. */
  keysOf(plural: string): Iterable<string>;
}

/** Something else lives on a host. What its owner does there itself is not told. */
export interface LiveRule extends Rule<LiveEvent> {
  readonly source: 'live';
  /** The kind of the owner, {@link ANY}, {@link PLACED}, or nobody: the store knows no such object. */
  readonly of: string | undefined;
}

export interface LiveEvent {
  readonly change: LiveChange & { type: 'resource' };
  readonly owner: Cached | undefined;
}
