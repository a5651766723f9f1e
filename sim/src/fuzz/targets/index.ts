/** Every target; a new one is a file beside this and a line here. */
import type { FuzzTarget } from '../target.ts';
import { fetcher, sources } from './fetching.ts';
import { json } from './json.ts';
import { patches } from './patches.ts';
import { selectors } from './selectors.ts';

// biome-ignore lint/suspicious/noExplicitAny: each target makes the inputs that it takes
export const targets: readonly FuzzTarget<any>[] = [selectors, patches, json, fetcher, sources];
