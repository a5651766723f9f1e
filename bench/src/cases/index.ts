import type { Case } from '../case.ts';
import { burst } from './burst.ts';
import { store } from './store.ts';

/** All cases, in the order in which results show them. */
export const cases: readonly Case[] = [burst, store];
