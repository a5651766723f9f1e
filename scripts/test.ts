/**
 * Everything that is to hold, in the order in which it fails fastest: types, lint and import rules, unit, conformance,
 * end to end. The last line is `Tests: N passed, M failed, K skipped`. In CI (CI=true) a skipped test is a failure.
 *
 *   node scripts/test.ts [types] [lint] [unit] [conformance] [e2e]
 */
import { join } from 'node:path';
import { run } from './run.ts';
import { CACHE, NODE, ROOT, setUp } from './setup.ts';
import { type Step, StepFailed, Steps, seconds } from './steps.ts';
import { type Counted, runSuite } from './vitest.ts';

interface Check {
  /** What a person does when it fails. */
  advice: string;
  run: (step: Step) => Promise<void>;
}

const checks: Record<string, Check> = {
  types: {
    advice: 'run "npm run types"',
    run: () => program('node_modules/typescript/bin/tsc', '--noEmit'),
  },
  lint: {
    advice: 'run "npm run format", which repairs most of it, then "npm run lint"',
    run: () => program('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'),
  },
  unit: suite('unit'),
  conformance: suite('conformance', ownNamespaces()),
  e2e: suite('e2e', ownNamespaces()),
};

/** What these suites make meets nothing of the machine's: they run in namespaces that end with them. */
function ownNamespaces(): string[] {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return [];
  return ['unshare', '--net', '--mount', '--propagation', 'slave', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
}

async function program(...args: string[]): Promise<void> {
  await run(NODE, args, { cwd: ROOT });
}

function suite(name: string, wrapper: string[] = []): Check {
  return {
    advice: `look at one file by itself: npx vitest run --project ${name} PATH`,
    run: async (step) => {
      const report = join(CACHE, 'test', `${name}.json`);
      const counted = await runSuite(name, { root: ROOT, report, wrapper, onLine: (line) => step.line(line) });
      step.note(`${counted.passed} passed, ${counted.failed.length} failed, ${counted.skipped.length} skipped`);
      totals.passed += counted.passed;
      totals.failed.push(...counted.failed);
      totals.skipped.push(...counted.skipped);
      if (counted.failed.length > 0) throw new Error(counted.failed.join('\n'));
    },
  };
}

const totals: Counted = { passed: 0, failed: [], skipped: [] };
const started = performance.now();
const steps = new Steps();
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in checks));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: not a suite; there are ${Object.keys(checks).join(', ')}`);
  process.exit(2);
}

try {
  const all = chosen.length === 0;
  await setUp(steps, {
    guests: all || chosen.includes('conformance') || chosen.includes('e2e'),
    terraform: all || chosen.includes('e2e'),
  });
} catch (error) {
  if (!(error instanceof StepFailed)) throw error;
  totals.failed.push('set-up');
}
for (const [name, check] of Object.entries(checks)) {
  if (chosen.length > 0 && !chosen.includes(name)) continue;
  const before = totals.failed.length;
  await steps.run(`Tests: ${name}`, check.advice, check.run).catch((error: unknown) => {
    if (!(error instanceof StepFailed)) throw error;
    if (totals.failed.length === before) totals.failed.push(name); // types and lint are no tests, but count as failures
  });
}

const forbidden = process.env.CI === 'true' && totals.skipped.length > 0;
for (const name of totals.failed) steps.say(`failed   ${name}`);
for (const name of totals.skipped) steps.say(`skipped  ${name}`);
if (forbidden) steps.say('In CI nothing may be skipped: see what "This machine" says is missing.');
steps.say(`Took ${seconds(performance.now() - started).trim()}.`);
steps.say(`Tests: ${totals.passed} passed, ${totals.failed.length} failed, ${totals.skipped.length} skipped`);
process.exitCode = totals.failed.length > 0 || forbidden ? 1 : 0;
