/** `-k FOLDER`: what kustomize makes of a folder, by the program of that name, or by kubectl, which has it inside. */
import { execFile } from 'node:child_process';
import { terminal } from '@plumb/schemas/meta/error.ts';
import type { ManifestFile } from './manifest-files.ts';

const PROGRAMS: readonly [program: string, ...args: string[]][] = [
  ['kustomize', 'build'],
  ['kubectl', 'kustomize'],
];
/** More than that is no declaration any more. */
const MOST_BYTES = 256 * 1024 * 1024;
/** The beginning of what it says. */
const SAID = 2_000;

/** Throws PlumbError `NoKustomize` or `KustomizeFailed` (terminal). */
export async function kustomized(
  folder: string,
  env: Readonly<Record<string, string | undefined>>,
): Promise<ManifestFile> {
  for (const [program, ...args] of PROGRAMS) {
    const bytes = await outputOf(program, [...args, '--', folder], env);
    if (bytes) return { file: `kustomize of ${folder}`, bytes };
  }
  throw terminal(
    'NoKustomize',
    '-k needs kustomize, or kubectl, in PATH, and neither is there: install one of them, or render elsewhere and use -f -',
  );
}

/** Undefined: there is no such program. */
function outputOf(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string | undefined>>,
): Promise<Buffer | undefined> {
  const { promise, resolve, reject } = Promise.withResolvers<Buffer | undefined>();
  const options = { env: { ...env }, encoding: 'buffer', maxBuffer: MOST_BYTES } as const;
  execFile(program, args, options, (error, stdout, stderr) => {
    if (!error) return resolve(stdout);
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return resolve(undefined);
    const said = stderr.toString('utf8').trim().slice(0, SAID) || error.message;
    reject(terminal('KustomizeFailed', `${program} refuses ${args.at(-1)}: ${said}`));
  });
  return promise;
}
