/**
 * Whether the regression tests can fail: each guard, a source line marked `// guard: <name>`, is taken away in a copy
 * of the sources, and the test of that name must turn red. The copy is thrown away; the sources are never touched.
 *
 *   node scripts/guards.ts [name …]
 */
import { cpSync, mkdirSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { withoutGuard } from './guard-lines.ts';
import { run } from './run.ts';
import { CACHE, NODE, ROOT } from './setup.ts';

const COPY = join(CACHE, 'guards');
const WORKSPACES = ['schemas', 'reconciler', 'agent', 'sim'];
const TESTS = 'sim/src/regressions';

const marked = new Map<string, string[]>();
for (const workspace of WORKSPACES)
  for (const file of sources(join(ROOT, workspace, 'src')))
    for (const [, name] of readFileSync(file, 'utf8').matchAll(/\/\/ guard: (.+)$/gm))
      marked.set(name!, [...new Set([...(marked.get(name!) ?? []), relative(ROOT, file)])]);

const tests = new Set<string>();
for (const file of readdirSync(join(ROOT, TESTS)))
  for (const [, name] of readFileSync(join(ROOT, TESTS, file), 'utf8').matchAll(/^test\('([^']+)'/gm)) tests.add(name!);

const wrong: string[] = [];
for (const name of tests) if (!marked.has(name)) wrong.push(`the test "${name}" has no guard: mark its line`);
for (const name of marked.keys()) if (!tests.has(name)) wrong.push(`the guard "${name}" has no test in ${TESTS}`);

const chosen = process.argv.slice(2);
try {
  makeCopy();
  if (!(await passes('.'))) wrong.push('the regression tests fail as they are');
  else
    for (const [name, files] of marked) {
      if ((chosen.length > 0 && !chosen.includes(name)) || !tests.has(name)) continue;
      const kept = files.map((file) => [file, readFileSync(join(COPY, file), 'utf8')] as const);
      for (const [file, text] of kept) writeFileSync(join(COPY, file), withoutGuard(text, name));
      const red = !(await passes(name));
      for (const [file, text] of kept) writeFileSync(join(COPY, file), text);
      console.log(`${red ? 'red  ' : 'GREEN'}  ${name}`);
      if (!red) wrong.push(`"${name}" passes without its guard in ${files.join(', ')}`);
    }
} finally {
  rmSync(COPY, { recursive: true, force: true });
}
for (const what of wrong) console.log(`failed  ${what}`);
console.log(`Guards: ${marked.size} marked, ${wrong.length} wrong`);
process.exitCode = wrong.length > 0 ? 1 : 0;

/** The sources with their tests; modules are those of the repository, but for our own. */
function makeCopy(): void {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(join(COPY, 'node_modules', '@plumb'), { recursive: true });
  for (const name of WORKSPACES) {
    cpSync(join(ROOT, name), join(COPY, name), { recursive: true, filter: (path) => !path.includes('node_modules') });
    symlinkSync(join(COPY, name), join(COPY, 'node_modules', '@plumb', name));
  }
  for (const file of ['package.json', 'tsconfig.json', 'vitest.config.ts']) cpSync(join(ROOT, file), join(COPY, file));
  for (const name of readdirSync(join(ROOT, 'node_modules')))
    if (name !== '@plumb' && name !== '.vite')
      symlinkSync(join(ROOT, 'node_modules', name), join(COPY, 'node_modules', name));
}

async function passes(name: string): Promise<boolean> {
  const exactly = name === '.' ? name : `^${name}$`;
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', '--project', 'unit', TESTS, '-t', exactly];
  const ended = await run(NODE, vitest, { cwd: COPY, env: { NO_COLOR: '1' }, accept: [0, 1] });
  if (ended.code === 0) return true;
  // A test that failed, and not a file that could not be read.
  if (!/Tests +[1-9]\d* failed/.test(ended.stdout)) wrong.push(`"${name}": ${ended.stdout.slice(-2_000)}`);
  return false;
}

function sources(folder: string): string[] {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(folder, name));
}
