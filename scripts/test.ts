/**
 * Everything that is to hold: types, lint and import rules, unit tests and their guards while the machine is being set up,
 * then conformance and end to end, several files at a time. The last line is `Tests: N passed, M failed, K skipped`. In CI
 * (CI=true) a skipped test is a failure.
 *
 *   node scripts/test.ts [types] [lint] [unit] [guards] [conformance] [e2e]
 */
import { join } from 'node:path';
import { run } from './run.ts';
import { CACHE, NODE, ROOT, setUp } from './setup.ts';
import { type Step, StepFailed, Steps, seconds } from './steps.ts';
import { inParallel, type TestFile, testFiles } from './test-files.ts';
import { type Counted, runSuite } from './vitest.ts';

interface Check {
  title: string;
  /** What a person does when it fails. */
  advice: string;
  run: (step: Step) => Promise<void>;
}

/** What needs nothing but the packages, in the order in which it fails fastest. */
const checks: Record<string, Check> = {
  types: {
    title: 'Tests: types',
    advice: 'run "npm run types"',
    run: () => program('node_modules/typescript/bin/tsc', '--noEmit'),
  },
  lint: {
    title: 'Tests: lint',
    advice: 'run "npm run format", which repairs most of it, then "npm run lint"',
    run: () => program('node_modules/@biomejs/biome/bin/biome', 'check', '--error-on-warnings', '.'),
  },
  unit: {
    title: 'Tests: unit',
    advice: 'look at one file by itself: npx vitest run --project unit PATH',
    run: (step) => suite(step, 'unit', { onLine: (line) => step.line(line) }),
  },
  guards: { title: 'Tests: guards', advice: 'look at one by itself: npm run guards -- "NAME"', run: guards },
};
const SUITES = new Set(['conformance', 'e2e']);
/** Guests wait for one another more than for a processor: one file more than there are processors. */
const FILES_AT_ONCE = 3;

/** What these files make meets nothing of the machine's: they run in namespaces that end with them. */
function ownNamespaces(): string[] {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return [];
  return ['unshare', '--net', '--mount', '--propagation', 'slave', 'sh', '-c', 'ip link set lo up && exec "$@"', 'sh'];
}

async function program(...args: string[]): Promise<void> {
  await run(NODE, args, { cwd: ROOT });
}

async function guards(step: Step): Promise<void> {
  const { stdout, code } = await run(NODE, ['scripts/guards.ts'], { cwd: ROOT, accept: [0, 1] });
  const [, passed = '0', failed = '1'] = /^Guards: (\d+) passed, (\d+) failed$/m.exec(stdout) ?? [];
  step.note(`${passed} passed, ${failed} failed`);
  totals.passed += Number(passed);
  if (code === 0) return;
  const wrong = stdout.split('\n').flatMap((line) => (line.startsWith('failed  ') ? [`guards: ${line.slice(8)}`] : []));
  totals.failed.push(...(wrong.length > 0 ? wrong : ['guards: they ended without a result']));
  throw new Error(wrong.join('\n') || stdout);
}

async function suite(
  step: Step,
  project: string,
  options: { onLine: (line: string) => void; files?: string[]; wrapper?: string[] },
): Promise<void> {
  const name = options.files?.map((file) => file.replaceAll('/', '-')).join('+') ?? project;
  const report = join(CACHE, 'test', `${name}.json`);
  const counted = await runSuite(project, { root: ROOT, report, ...options });
  step.note(`${counted.passed} passed, ${counted.failed.length} failed, ${counted.skipped.length} skipped`);
  totals.passed += counted.passed;
  totals.failed.push(...counted.failed);
  totals.skipped.push(...counted.skipped);
  if (counted.failed.length > 0) throw new Error(counted.failed.join('\n'));
}

/** What its runner said is shown where something failed. */
async function file({ project, path }: TestFile): Promise<void> {
  const lines: string[] = [];
  const advice = `look at it by itself: npx vitest run --project ${project} ${path}`;
  await check(path, advice, (step) =>
    suite(step, project, { files: [path], wrapper: ownNamespaces(), onLine: (line) => lines.push(line) }).catch(
      (error: unknown) => {
        for (const line of lines) step.line(line);
        throw error;
      },
    ),
  );
}

async function check(title: string, advice: string, body: (step: Step) => Promise<void>): Promise<void> {
  const before = totals.failed.length;
  await steps.run(title, advice, body).catch((error: unknown) => {
    if (!(error instanceof StepFailed)) throw error;
    if (totals.failed.length === before) totals.failed.push(title); // types and lint are no tests, but count as failures
  });
}

const totals: Counted = { passed: 0, failed: [], skipped: [] };
const started = performance.now();
const steps = new Steps();
const chosen = process.argv.slice(2);
const unknown = chosen.filter((name) => !(name in checks) && !SUITES.has(name));
if (unknown.length > 0) {
  console.error(`${unknown.join(', ')}: not a suite; there are ${[...Object.keys(checks), ...SUITES].join(', ')}`);
  process.exit(2);
}
const wanted = new Set(chosen.length > 0 ? chosen : [...Object.keys(checks), ...SUITES]);

const setting = setUp(steps, { guests: !wanted.isDisjointFrom(SUITES), terraform: wanted.has('e2e') }).catch(
  (error: unknown) => {
    if (!(error instanceof StepFailed)) throw error;
    totals.failed.push('set-up');
  },
);
for (const [name, { title, advice, run }] of Object.entries(checks))
  if (wanted.has(name)) await check(title, advice, run);
await setting;

const { together, alone } = testFiles(ROOT, wanted);
await inParallel(together, FILES_AT_ONCE, file);
await inParallel(alone, 1, file);

const forbidden = process.env.CI === 'true' && totals.skipped.length > 0;
for (const name of totals.failed) steps.say(`failed   ${name}`);
for (const name of totals.skipped) steps.say(`skipped  ${name}`);
if (forbidden) steps.say('In CI nothing may be skipped: see what "This machine" says is missing.');
steps.say(`Took ${seconds(performance.now() - started).trim()}.`);
steps.say(`Tests: ${totals.passed} passed, ${totals.failed.length} failed, ${totals.skipped.length} skipped`);
process.exitCode = totals.failed.length > 0 || forbidden ? 1 : 0;
