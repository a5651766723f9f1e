/** Whether what was built is still what its inputs say: by their content, so that neither clocks nor git matter. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The repository. */
export const root = dirname(import.meta.dirname);
/** Everything that is built goes here. */
export const dist = join(root, 'dist');

interface Stamp {
  /** What is not a file, e.g. the version of a compiler. */
  setting: string;
  /** SHA-256 by path, relative to the repository. */
  inputs: Record<string, string>;
}

/** True when all outputs are there and every input that the stamp remembers is unchanged. */
export function isUpToDate(name: string, setting: string, outputs: readonly string[]): boolean {
  const file = stampFile(name);
  if (!existsSync(file) || !outputs.every((path) => existsSync(path))) return false;
  const stamp = JSON.parse(readFileSync(file, 'utf8')) as Stamp;
  return stamp.setting === setting && Object.entries(stamp.inputs).every(([path, digest]) => digestOf(path) === digest);
}

/** Remembers what the outputs were made of. Paths are relative to the repository. */
export function remember(name: string, setting: string, inputs: readonly string[]): void {
  const stamp: Stamp = { setting, inputs: Object.fromEntries(inputs.map((path) => [path, digestOf(path) ?? ''])) };
  mkdirSync(dist, { recursive: true });
  writeFileSync(stampFile(name), JSON.stringify(stamp));
}

/** What the outputs were made of. */
export function inputsOf(name: string): string[] {
  return Object.keys((JSON.parse(readFileSync(stampFile(name), 'utf8')) as Stamp).inputs);
}

function stampFile(name: string): string {
  return join(dist, `.${name}.stamp.json`);
}

function digestOf(path: string): string | undefined {
  try {
    return createHash('sha256')
      .update(readFileSync(join(root, path)))
      .digest('hex');
  } catch {
    return undefined;
  }
}
