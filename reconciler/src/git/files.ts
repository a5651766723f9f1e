/** The files of a commit that count, as texts by path: links are followed within the commit, and nothing leads out of it. */
import { posix } from 'node:path';
import { isPrintable } from '@plumb/schemas/meta/printable.ts';
import { unusable } from './failures.ts';
import type { GitLimits } from './look.ts';
import type { Repository, TreeEntry } from './repository.ts';

export const KUSTOMIZATIONS: readonly string[] = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];
const MANIFEST = /\.(?:ya?ml|json)$/i;
const MOST_LINK_BYTES = 4096;
const MOST_LINKS = 1000;

/** By path below the folder that was asked for; with kustomize, by path in the repository. */
export type Files = ReadonlyMap<string, Buffer>;

/** Whether kustomize is meant: a kustomization lies in the folder itself. */
export function isKustomized(entries: readonly TreeEntry[]): boolean {
  return entries.some(({ path }) => KUSTOMIZATIONS.includes(path));
}

/** Manifests of a folder without a kustomization. Throws terminal `CommitRefused`. */
export async function manifestFiles(
  repository: Repository,
  entries: readonly TreeEntry[],
  limits: GitLimits,
): Promise<Files> {
  const deeper = entries.find(({ path }) => KUSTOMIZATIONS.includes(posix.basename(path)) && isShown(path));
  if (deeper)
    throw unusable(`${deeper.path} is a kustomization below the folder, not in it: name its folder in spec.path`);
  refuseSubmodules(entries);
  return read(
    repository,
    entries,
    entries.filter(({ path }) => MANIFEST.test(path) && isShown(path)),
    limits,
  );
}

/** All of the repository that kustomize may need: what is larger than a manifest may be is left out, and what lies outside and leads away. */
export async function kustomizeFiles(
  repository: Repository,
  entries: readonly TreeEntry[],
  path: string,
  limits: GitLimits,
): Promise<Files> {
  const inside = (one: TreeEntry) => path === '' || one.path.startsWith(`${path}/`);
  refuseSubmodules(entries.filter(inside));
  const wanted = entries.filter((one) => {
    if (one.type === 'submodule' || !isShown(one.path)) return false;
    return inside(one)
      ? one.bytes <= limits.gitFileBytes || MANIFEST.test(one.path)
      : one.type === 'file' && one.bytes <= limits.gitFileBytes;
  });
  return read(repository, entries, wanted, limits);
}

/** Not hidden, and not in a hidden folder: `.github/workflows/ci.yaml` is no manifest. */
function isShown(path: string): boolean {
  return !path.split('/').some((part) => part.startsWith('.'));
}

function refuseSubmodules(entries: readonly TreeEntry[]): void {
  const submodule = entries.find(({ type }) => type === 'submodule');
  if (submodule) throw unusable(`${submodule.path} is a submodule: what lies in another repository is not fetched`);
}

async function read(
  repository: Repository,
  entries: readonly TreeEntry[],
  wanted: readonly TreeEntry[],
  limits: GitLimits,
): Promise<Files> {
  for (const { path } of wanted)
    if (!isPrintable(path) || path.includes('\\') || path.split('/').some((part) => part === '..' || part === '.'))
      throw unusable(`it has a file whose name cannot be used: ${path}`);
  const links = wanted.filter(({ type }) => type === 'link');
  if (links.length > MOST_LINKS) throw unusable(`it has more than ${MOST_LINKS} links`);
  const long = links.find(({ bytes }) => bytes > MOST_LINK_BYTES);
  if (long) throw unusable(`${long.path} is a link that is too long`);
  const byPath = new Map(entries.map((one) => [one.path, one]));
  const targets = await repository.contents(links);
  const led = new Map(links.map((link, index) => [link.path, targets[index]!.toString('utf8')]));
  const files = wanted.map((one) => ({
    path: one.path,
    entry: one.type === 'link' ? end(one.path, led, byPath) : one,
  }));
  let total = 0;
  for (const { path, entry } of files) {
    if (entry.bytes > limits.gitFileBytes)
      throw unusable(`${path} has ${entry.bytes} bytes, and a manifest at most ${limits.gitFileBytes} (gitFileBytes)`);
    total += entry.bytes;
    if (total > limits.gitManifestBytes)
      throw unusable(`its manifests have more than ${limits.gitManifestBytes} bytes (gitManifestBytes)`);
  }
  const contents = await repository.contents(files.map(({ entry }) => entry));
  return new Map(files.map(({ path }, index) => [path, contents[index]!]));
}

/** The file that a link leads to, perhaps by other links. */
function end(from: string, led: ReadonlyMap<string, string>, byPath: ReadonlyMap<string, TreeEntry>): TreeEntry {
  let at = from;
  for (let hops = 0; hops < 8; hops++) {
    const target = led.get(at);
    const entry = byPath.get(at);
    if (target === undefined) {
      if (entry?.type === 'file') return entry;
      throw unusable(`${from} is a link to ${at}, which is no file of the commit that is read`);
    }
    const next = posix.normalize(posix.join(posix.dirname(at), target));
    if (target.startsWith('/') || next === '..' || next.startsWith('../'))
      throw unusable(`${from} is a link that leads out: ${target}`);
    at = next;
  }
  throw unusable(`${from} is a link that leads to no file`);
}
