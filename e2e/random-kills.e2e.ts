/**
 * Server and agent killed with -9 at random moments of the quickstart on real guests: applied again, the end is the same,
 * and after a destroy nothing is left. `npm run soak -- --kills 30 --seed S` does it more often.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { run } from '../scripts/run.ts';
import { guests, terraform } from './harness/machinery.ts';
import { estateSession } from './harness/session.ts';

const ROUNDS = Number(process.env.PLUMB_KILLS ?? '1');
const SEED = process.env.PLUMB_KILLS_SEED ?? String(Date.now());
/** The first apply takes about two seconds on two idle cores. */
const LATEST_MS = 2500;

/** Uniform in [0, 1), decided by the seed: a round that failed can be had again. */
function chance(round: number, of: string): number {
  return createHash('sha256').update(`${SEED} ${round} ${of}`).digest().readUInt32BE() / 2 ** 32;
}

describe.skipIf(!guests || !terraform)(`killed at random moments, seed ${SEED}`, () => {
  const session = estateSession({ name: 'random-kills', driver: 'libvirt' });

  test.each(Array.from({ length: ROUNDS }, (_, round) => round))('round %i', async (round) => {
    const estate = session.estate();
    const quickstart = await estate.quickstart();
    const before = await estate.traces();
    const victims = (['server', 'agent'] as const).filter((p) => chance(round, p) < 0.6);
    if (victims.length === 0) victims.push('server');

    const first = quickstart.apply().catch((error: Error) => error); // its server may go away
    await delay(chance(round, 'moment') * LATEST_MS);
    await Promise.all(victims.map((program) => estate.kill(program)));
    if (victims.includes('server')) await estate.startServer();
    if (victims.includes('agent')) estate.startAgent();
    await first;

    await quickstart.apply();
    expect(await quickstart.changes()).toBeUndefined();
    const { stdout } = await run('virsh', ['-q', '-c', estate.libvirtd?.virshUri ?? '', 'list', '--name']);
    expect(stdout.trim().split('\n').sort()).toEqual(['default.web-0', 'default.web-1']);
    await quickstart.destroy();
    expect(await estate.traces()).toEqual(before);
  });
});
