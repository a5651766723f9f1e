/**
 * The mark of an object that a client makes and has not handed over yet: an annotation. Whoever made it renews the mark, and takes it
 * away when somebody knows of the object; what nobody renews is taken back by the server, so that nothing is left that nobody knows of.
 */
import type { PlumbObject } from './object.ts';

export const PENDING = 'plumb.dev/pending';

/**
 * `making`: nobody but its maker knows of it. `told`: it is being handed over, and it is not sure that it has arrived. `left`: its maker
 * is gone; whoever declares the same in the same stack may have it.
 */
export type Phase = 'making' | 'told' | 'left';
const PHASES: readonly string[] = ['making', 'told', 'left'] satisfies Phase[];

export interface Pending {
  /** Which request it comes from: unique. */
  request: string;
  phase: Phase;
  /** Name of the configuration that makes it, where a person has named it. */
  stack?: string;
  /** Who makes it; the server says so. */
  user?: string;
  /** Counted up to renew the mark. */
  beat?: number;
}

/** Characters of a mark, and of each of its texts. */
const MOST = 1_000;
const MOST_OF_ONE = 300;

/** The mark of an object; undefined where there is none that can be read. */
export function pendingOf({ metadata }: Pick<PlumbObject, 'metadata'>): Pending | undefined {
  return readPending(metadata.annotations?.[PENDING]);
}

export function readPending(text: string | undefined): Pending | undefined {
  if (text === undefined || text.length > MOST) return undefined;
  try {
    const { request, phase, stack, user, beat } = JSON.parse(text) as Record<string, unknown>;
    const isText = (value: unknown) => typeof value === 'string' && value.length <= MOST_OF_ONE;
    if (!isText(request) || !PHASES.includes(phase as string)) return undefined;
    if ((stack !== undefined && !isText(stack)) || (user !== undefined && !isText(user))) return undefined;
    if (beat !== undefined && !Number.isSafeInteger(beat)) return undefined;
    const rest = { ...(stack ? { stack } : {}), ...(user ? { user } : {}), ...(beat === undefined ? {} : { beat }) };
    return { request, phase, ...rest } as Pending;
  } catch {
    return undefined;
  }
}

export function pendingText(mark: Pending): string {
  return JSON.stringify(mark);
}

/** The object with another mark, or without one. */
export function withPending<T extends Pick<PlumbObject, 'metadata'>>(object: T, mark: Pending | undefined): T {
  const { annotations: { [PENDING]: _, ...others } = {}, ...metadata } = object.metadata;
  const annotations = { ...others, ...(mark ? { [PENDING]: pendingText(mark) } : {}) };
  const has = Object.keys(annotations).length > 0;
  return { ...object, metadata: { ...metadata, ...(has ? { annotations } : {}) } };
}
