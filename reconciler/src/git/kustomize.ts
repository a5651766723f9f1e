/**
 * What kustomize makes of a folder of the commit. It gets files of the commit only: what a kustomization names elsewhere, what would
 * run a program, and charts are refused before it begins. It has no search path, and no way to a server.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join, posix } from 'node:path';
import { readYaml } from '@plumb/schemas/manifests/documents.ts';
import { decodeText } from '@plumb/schemas/manifests/text.ts';
import { unusable } from './failures.ts';
import { type Files, KUSTOMIZATIONS } from './files.ts';
import { KUSTOMIZE_FD, type LookJob } from './look.ts';
import { run } from './program.ts';

/** Fields whose items are files or folders. */
const PATHS: ReadonlySet<string> = new Set(['resources', 'bases', 'components', 'crds', 'configurations']);
/** Fields by which programs would run, or charts be fetched. */
const PROGRAMS: ReadonlySet<string> = new Set([
  ...['generators', 'transformers', 'validators'],
  ...['helmCharts', 'helmChartInflationGenerator', 'helmGlobals'],
]);
/** Fields anywhere in it that name files. */
const NAMES_FILES: ReadonlySet<string> = new Set(['path', 'files', 'envs', 'env', 'patchesStrategicMerge', 'schema']);

/** Throws terminal `CommitRefused`. */
export async function kustomized(job: LookJob, files: Files, path: string, signal: AbortSignal): Promise<Buffer> {
  if (!job.kustomize)
    throw unusable(
      'it needs kustomize, which was not built on the server: npm run setup does it where Go is there; plain manifests need nothing',
    );
  for (const [file, content] of files) if (KUSTOMIZATIONS.includes(posix.basename(file))) examine(file, content, files);
  const folder = join(job.scratch, 'tree');
  const folders = new Set([...files.keys()].map((file) => posix.dirname(file)));
  for (const one of folders) await mkdir(join(folder, one), { recursive: true, mode: 0o700 });
  for (const [file, content] of files) await writeFile(join(folder, file), content, { mode: 0o600, flag: 'wx' });
  const { gitMemoryMiB, gitManifestBytes } = job.limits;
  const chunks: Buffer[] = [];
  let size = 0;
  const { code, killed, said } = await run({
    command: `/proc/self/fd/${KUSTOMIZE_FD}`,
    args: ['build', '--load-restrictor=LoadRestrictionsRootOnly', '--', join(folder, path)],
    env: {
      ...{ HOME: join(job.scratch, 'home'), PATH: '/nonexistent', LC_ALL: 'C', TMPDIR: job.scratch, GOMAXPROCS: '1' },
      // Where a program of Go looks first: nothing listens there.
      ...{ HTTP_PROXY: 'http://127.0.0.1:1', HTTPS_PROXY: 'http://127.0.0.1:1', NO_PROXY: '' },
      GOMEMLIMIT: `${gitMemoryMiB}MiB`,
    },
    cwd: folder,
    // A program of Go reserves more than it uses.
    memoryMiB: gitMemoryMiB * 4,
    fileBytes: gitManifestBytes,
    fd: KUSTOMIZE_FD,
    signal,
    onOutput(chunk) {
      size += chunk.length;
      if (size > gitManifestBytes)
        throw unusable(`kustomize makes more than ${gitManifestBytes} bytes of it (gitManifestBytes)`);
      chunks.push(chunk);
    },
  });
  if (code === 0) return Buffer.concat(chunks);
  const why = said.replaceAll(`${folder}/`, '').replace(/^Error: /, '');
  throw unusable(`kustomize refuses it: ${why || `it ended (${killed ?? code})`}`);
}

function examine(file: string, content: Buffer, files: Files): void {
  const at = posix.dirname(file);
  for (const { value } of readYaml(decodeText(content, file), file)) {
    if (typeof value !== 'object' || value === null) continue;
    for (const [field, says] of Object.entries(value)) {
      if (PROGRAMS.has(field)) throw unusable(`${file}: ${field} is not used here: no plug-in and no chart is run`);
      if (PATHS.has(field)) for (const one of textsOf(says)) expectHere(file, field, one, at, files);
    }
    refuseUrls(file, value, false);
  }
}

function expectHere(file: string, field: string, named: string, at: string, files: Files): void {
  const target = posix.normalize(posix.join(at, named)).replace(/\/$/, '');
  const isHere =
    !named.startsWith('/') &&
    (files.has(target) || target === '.' || [...files.keys()].some((one) => one.startsWith(`${target}/`)));
  if (!isHere || named.includes('://'))
    throw unusable(
      `${file}: ${field} names ${named}, which is not in the repository: what lies elsewhere is not fetched`,
    );
}

function refuseUrls(file: string, value: unknown, names: boolean): void {
  if (typeof value === 'string') {
    if (names && value.includes('://') && !value.includes('\n'))
      throw unusable(`${file} names ${value}: what lies elsewhere is not fetched`);
  } else if (Array.isArray(value)) for (const item of value) refuseUrls(file, item, names);
  else if (typeof value === 'object' && value !== null)
    for (const [field, inner] of Object.entries(value)) refuseUrls(file, inner, NAMES_FILES.has(field));
}

function textsOf(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  return Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
}
