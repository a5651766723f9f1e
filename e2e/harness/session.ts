/** Tests of one file that build on one another: the first failure says why, with the logs, and the others do not wait. */
import { afterAll, beforeAll, beforeEach, onTestFailed } from 'vitest';
import { Estate, type EstateOptions } from './estate.ts';

export interface EstateSession {
  /** From the first test on. */
  estate(): Estate;
}

/** Opens an estate before the tests of the surrounding `describe`, starts server and agent, and closes it after them. */
export function estateSession(options: EstateOptions): EstateSession {
  let estate: Estate | undefined;
  let failed = false;

  beforeAll(async () => {
    estate = await Estate.open(options);
    await estate.start();
  });
  beforeEach(() => {
    if (failed) throw new Error('an earlier test of this file failed, and this one builds on it');
    onTestFailed(async ({ task }) => {
      if (!failed) {
        const why = task.result?.errors?.map((error) => error.message).join('\n');
        console.error(`${task.name}: ${why}\n${await estate?.logs()}`);
      }
      failed = true;
    });
  });
  afterAll(() => estate?.close(failed));

  return {
    estate() {
      if (!estate) throw new Error('the estate is open from the first test on');
      return estate;
    },
  };
}
