import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { cpus, release, totalmem } from 'node:os';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '..', '..');

/** Where and with what something was measured. */
export interface Surroundings {
  /** RFC 3339. */
  date: string;
  /** Of the measured sources; `+` behind it: with changes that are not committed. */
  commit: string;
  processor: string;
  cores: number;
  memoryGiB: number;
  kernel: string;
  versions: Record<string, string>;
}

export function surroundings(now: number): Surroundings {
  return {
    date: new Date(now).toISOString(),
    commit: commit(),
    processor: cpus()[0]?.model.trim() ?? 'unknown',
    cores: cpus().length,
    memoryGiB: Math.round(totalmem() / 2 ** 30),
    kernel: `${process.platform} ${release()}`,
    versions: {
      node: process.versions.node,
      sqlite: process.versions.sqlite ?? '',
      openssl: process.versions.openssl ?? '',
      'grpc-js': packageVersion('@grpc/grpc-js'),
      protobufjs: packageVersion('protobufjs'),
    },
  };
}

function packageVersion(name: string): string {
  const file = join(ROOT, 'node_modules', name, 'package.json');
  return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version;
}

function commit(): string {
  const git = (...args: string[]) => execFileSync('git', args, { cwd: ROOT, encoding: 'utf8' }).trim();
  const measured = ['bin', 'schemas', 'reconciler', 'agent', 'bench/src', 'package-lock.json'];
  try {
    return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain', '--', ...measured) ? '+' : '');
  } catch {
    return 'unknown';
  }
}
