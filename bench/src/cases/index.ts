import type { Case } from '../case.ts';
import { burst } from './burst.ts';
import { coldStart } from './cold-start.ts';
import { command } from './command.ts';
import { drift, driftGrouped } from './drift.ts';
import { growth } from './growth.ts';
import { idle } from './idle.ts';
import { million } from './million.ts';
import { resident, streams } from './resident.ts';
import { rest } from './rest.ts';
import { spread } from './spread.ts';
import { store } from './store.ts';
import { strangers } from './strangers.ts';
import { terraform } from './terraform.ts';

/** All cases, in the order in which results show them. */
export const cases: readonly Case[] = [
  burst,
  growth,
  spread,
  resident,
  streams,
  million,
  drift,
  driftGrouped,
  coldStart,
  idle,
  command,
  terraform,
  store,
  rest,
  strangers,
];
