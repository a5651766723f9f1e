/** The sources of another commit, beside this one's, for comparing both in the same run. */
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { run } from './run.ts';
import { CACHE, ROOT } from './setup.ts';

/**
 * Root of a copy of `commit` with its packages, below `.cache/commits`; kept for the next time. Packages are those of this
 * folder where the lock file is the same, and else come from npm. Throws when git knows no such commit.
 */
export async function checkout(commit: string): Promise<string> {
  const { stdout } = await run('git', ['rev-parse', '--verify', '--end-of-options', `${commit}^{commit}`], {
    cwd: ROOT,
  });
  const folder = join(CACHE, 'commits', stdout.trim());
  if (existsSync(folder)) return folder;
  const unfinished = `${folder}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true });
  const archive = join(unfinished, 'sources.tar');
  await run('git', ['archive', `--output=${archive}`, stdout.trim()], { cwd: ROOT });
  await run('tar', ['-xf', archive, '-C', unfinished]);
  rmSync(archive);
  const lock = (root: string) => readFileSync(join(root, 'package-lock.json'), 'utf8');
  if (lock(unfinished) === lock(ROOT)) sharePackages(unfinished);
  else await run('sh', ['scripts/modules.sh'], { cwd: unfinished });
  renameSync(unfinished, folder);
  return folder;
}

/** Packages of others are linked; our own are those of the copy in `root`, whose links are relative. */
export function sharePackages(root: string): void {
  const from = join(ROOT, 'node_modules');
  const to = join(root, 'node_modules');
  mkdirSync(to);
  for (const name of readdirSync(from))
    if (name === '@plumb') cpSync(join(from, name), join(to, name), { recursive: true, verbatimSymlinks: true });
    else if (name !== '.vite' && name !== '.vitest-cache') symlinkSync(join(from, name), join(to, name));
}
