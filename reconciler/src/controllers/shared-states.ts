/** What several kinds remember together. */
import { keyWatch } from './key-watch.ts';
import type { OwnState } from './own-state.ts';
import { unansweredHosts } from './unanswered.ts';

export const sharedStates: readonly OwnState<unknown>[] = [keyWatch, unansweredHosts];
