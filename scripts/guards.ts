/**
 * Whether the regression tests can fail: each guard, a source line marked `// guard: <name>`, is taken away while the
 * sources are loaded, and the test of that name must turn red. One run of vitest with a project per guard; no file changes.
 *
 *   node scripts/guards.ts [name …]
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { startVitest, type TestModule, type Vite } from 'vitest/node';
import { onlyTest, withoutGuard } from './guard-lines.ts';
import { ROOT } from './setup.ts';

const WORKSPACES = ['schemas', 'reconciler', 'agent', 'sim'];
const TESTS = 'sim/src/regressions';

/** Files in which a guard is marked, and the file of its test. */
interface Guard {
  sources: string[];
  test: string | undefined;
}

const guards = new Map<string, Guard>();
for (const workspace of WORKSPACES)
  for (const file of sources(join(ROOT, workspace, 'src')))
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/\/\/ guard: (.+)$/gm)) {
      const guard = guards.get(name!) ?? { sources: [], test: undefined };
      guard.sources = [...new Set([...guard.sources, file])];
      guards.set(name!, guard);
    }

const wrong: string[] = [];
for (const file of readdirSync(join(ROOT, TESTS)))
  for (const [, name] of readFileSync(join(ROOT, TESTS, file), 'utf8').matchAll(/^test\('([^']+)'/gm)) {
    const guard = guards.get(name!);
    if (guard) guard.test = join(TESTS, file);
    else wrong.push(`the test "${name}" has no guard: mark its line`);
  }
for (const [name, { test }] of guards) if (!test) wrong.push(`the guard "${name}" has no test in ${TESTS}`);

const chosen = process.argv.slice(2);
const tried = [...guards].filter(([name, { test }]) => test && (chosen.length === 0 || chosen.includes(name)));
for (const name of chosen) if (!guards.has(name)) wrong.push(`there is no guard "${name}"`);

/** Result of the test of each project. */
const states = new Map<string, string>();
const vitest = await startVitest('test', [], {
  root: ROOT,
  config: false,
  watch: false,
  reporters: [{ onTestModuleEnd: judge }],
  projects: tried.map(([name, guard]) => ({
    plugins: [takenAway(name, guard)],
    test: { name, include: [guard.test!], testTimeout: 60_000 },
  })),
});
await vitest.close();

for (const [name, { sources: files }] of tried) {
  const red = states.get(name) === 'failed';
  console.log(`${red ? 'red  ' : 'GREEN'}  ${name}`);
  const where = files.map((file) => relative(ROOT, file)).join(', ');
  if (!red) wrong.push(`"${name}" ${states.has(name) ? 'passes' : 'did not run'} without its guard in ${where}`);
}
for (const what of wrong) console.log(`failed  ${what}`);
console.log(`Guards: ${tried.length - wrong.length} passed, ${wrong.length} failed`);
process.exitCode = wrong.length > 0 ? 1 : 0;

/** A test that failed counts; a file that could not be read does not. */
function judge(module: TestModule): void {
  for (const test of module.children.allTests())
    if (test.name === module.project.name) states.set(test.name, test.result().state);
  for (const { message } of module.errors()) wrong.push(`"${module.project.name}": ${message}`);
}

/** Loads the marked files without the guard, and of the test file its test alone; both never from vitest's cache. */
function takenAway(name: string, { sources: files, test }: Guard): Vite.Plugin {
  const testFile = join(ROOT, test!);
  return {
    name: 'guard taken away',
    enforce: 'pre',
    transform: (code, id) => {
      if (files.includes(id)) return withoutGuard(code, name);
      return id === testFile ? onlyTest(code, name) : undefined;
    },
    configureVitest: ({ defineCacheKeyGenerator }) =>
      defineCacheKeyGenerator(({ id }) => (id === testFile || files.includes(id) ? false : undefined)),
  };
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}
