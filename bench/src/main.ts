/**
 * npm run bench [-- case…] [--repetitions N] [--hosts N]: measures, prints, and keeps the results in bench/results.
 * Cases: store, burst-N for any N; without any: store, burst-1, burst-100 and burst-500.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { realAmbient } from '@plumb/schemas';
import { measureBursts } from './burst.ts';
import { endChildren } from './child.ts';
import { ROOT, surroundings } from './machine.ts';
import { formatResults, readResults, writeResults } from './results.ts';
import { measureStore } from './store-speed.ts';

const CONNECTIONS = 50;
const RESULTS = join(ROOT, 'bench', 'results');

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { repetitions: { type: 'string', default: '7' }, hosts: { type: 'string', default: '100' } },
});
const cases = positionals.length > 0 ? positionals : ['store', 'burst-1', 'burst-100', 'burst-500'];
const wrong = cases.filter((name) => !/^(store|burst-[1-9]\d*)$/.test(name));
const repetitions = positive('repetitions', values.repetitions);
const hosts = positive('hosts', values.hosts);
if (wrong.length > 0) fail(`${wrong.join(', ')}: no such case; there are store and burst-N`);

// On the disk of the repository, not in a folder that may be memory.
const cache = join(ROOT, '.cache');
mkdirSync(cache, { recursive: true });
const folder = mkdtempSync(join(cache, 'bench-'));
const now = realAmbient().clock.now();
const measured = surroundings(now);
const results = readResults(RESULTS);
const say = (line: string) => console.log(`  ${line}`);
try {
  if (cases.includes('store')) {
    console.log('· The embedded store');
    results.store = { ...(await measureStore(join(folder, 'store'), repetitions)), measured };
  }
  const sizes = cases.filter((name) => name !== 'store').map((name) => Number(name.slice('burst-'.length)));
  if (sizes.length > 0) {
    console.log('· Bursts of instances');
    const bursts = await measureBursts({ folder, sizes, hosts, repetitions, connections: CONNECTIONS, now, say });
    for (const burst of bursts) results.bursts[`burst-${burst.instances}`] = { ...burst, measured };
  }
  writeResults(RESULTS, results);
  console.log(`\n${formatResults(results)}\nWritten to bench/results.`);
} finally {
  await endChildren();
  rmSync(folder, { recursive: true, force: true });
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) fail(`--${name} must be a whole number of at least 1, not ${text}`);
  return value;
}

function fail(why: string): never {
  console.error(why);
  process.exit(2);
}
