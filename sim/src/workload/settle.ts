/** The end of every run: everything is mended, and what is wrong then stays wrong. */
import { longestDeadline, problems } from '../oracle/settled.ts';
import type { World } from '../world/world.ts';

/** How long everything may take to settle when nothing hurts any more. */
const SETTLE_MS = 60_000;
const LOOK_EVERY_MS = 1_000;
/** So many looks in a row find nothing wrong: one alone may fall between two moves. */
const LOOKS = 3;
/** What is settled must stay so. */
const STAY_MS = 12_000;

/** Mends everything and waits until nothing is wrong any more, and then a little. */
export async function settle(world: World, stayMs = STAY_MS): Promise<{ wrong: string[]; settledAfterMs: number }> {
  world.mend();
  for (let ms = 1; ms > 0 && world.violations.length === 0; ms = longestDeadline(world)) await world.run(ms);
  const mended = world.loop.now;
  for (let well = 0; ; ) {
    await world.run(LOOK_EVERY_MS);
    if (world.violations.length > 0) return { wrong: [], settledAfterMs: 0 };
    const wrong = problems(world);
    const tookMs = world.loop.now - mended;
    well = wrong.length === 0 ? well + 1 : 0;
    if (well === LOOKS) {
      await world.run(stayMs);
      const wrong = [...problems(world), ...(await missedByAll(world))];
      return { wrong: wrong.map((what) => `was well, and then: ${what}`), settledAfterMs: tookMs };
    }
    if (tookMs >= SETTLE_MS && well === 0) return { wrong, settledAfterMs: tookMs };
  }
}

/** Has all instances compared; undefined when nobody could answer. */
export async function scan(world: World, way: 'content' | 'digests'): Promise<{ missed: number } | undefined> {
  const answer = await world.ask('POST', '/apis/plumb.dev/v1/driftscans', { way });
  if (answer?.code === 200) return answer.body as { missed: number };
  if (answer !== undefined && ![0, 503].includes(answer.code))
    world.violations.push(`a drift scan by ${way} was answered with ${answer.code}: ${JSON.stringify(answer.body)}`);
  return undefined;
}

/** What differs, says that it is Ready, and was not noticed by anybody: there must be nothing for a scan to find. */
async function missedByAll(world: World): Promise<string[]> {
  const found: string[] = [];
  for (const way of ['digests', 'content'] as const) {
    const scanned = await scan(world, way);
    if (scanned?.missed !== 0) found.push(`a drift scan by ${way} found ${JSON.stringify(scanned)}`);
  }
  return found;
}
