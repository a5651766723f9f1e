/** Real git repositories in folders of their own, for tests. */
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

export interface TestRepository {
  /** The folder that the operator allows. */
  folder: string;
  path: string;
  url: string;
  /** Runs git in it. */
  git(...args: string[]): string;
  write(file: string, text: string | Buffer): void;
  link(file: string, target: string): void;
  remove(file: string): void;
  /** Everything that is there, as a commit; returns its id. */
  commit(message?: string): string;
  [Symbol.dispose](): void;
}

const WHO = ['-c', 'user.name=ann', '-c', 'user.email=ann@example.org', '-c', 'commit.gpgsign=false'];

export function makeRepository(files: Record<string, string> = {}): TestRepository {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-repositories-'));
  const path = join(folder, 'estate');
  mkdirSync(path);
  const git = (...args: string[]) =>
    execFileSync('git', [...WHO, '-c', 'core.hooksPath=/dev/null', ...args], {
      cwd: path,
      encoding: 'utf8',
      env: { ...process.env, GIT_CONFIG_GLOBAL: '/dev/null', GIT_CONFIG_NOSYSTEM: '1' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  git('init', '--quiet', '--initial-branch=main');
  const repository: TestRepository = {
    ...{ folder, path, url: `file://${path}`, git },
    write(file, text) {
      mkdirSync(dirname(join(path, file)), { recursive: true });
      writeFileSync(join(path, file), text);
    },
    link: (file, target) => symlinkSync(target, join(path, file)),
    remove: (file) => rmSync(join(path, file), { recursive: true, force: true }),
    commit(message = 'a change') {
      git('add', '--all', '--force');
      git('commit', '--quiet', '--allow-empty', '--no-verify', '-m', message);
      readableByAll(folder);
      return git('rev-parse', 'HEAD').trim();
    },
    [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
  };
  for (const [file, text] of Object.entries(files)) repository.write(file, text);
  if (Object.keys(files).length > 0) repository.commit();
  return repository;
}

/** What looks at it has no rights. */
function readableByAll(folder: string): void {
  chmodSync(folder, 0o755);
  execFileSync('chmod', ['-R', 'a+rX', folder]);
}
