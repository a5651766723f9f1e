/** What `npm run soak -- --fuzz` feeds: the targets of npm test, and those of which one input takes a second. */
import type { FuzzTarget } from '../target.ts';
import { targets as quick } from './index.ts';
import { store } from './store.ts';

// biome-ignore lint/suspicious/noExplicitAny: each target makes the inputs that it takes
export const targets: readonly FuzzTarget<any>[] = [...quick, store];
