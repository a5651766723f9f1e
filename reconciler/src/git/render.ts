/** One look at a repository: which commit it is, and if that is not known yet, the objects that it declares. */
import { isKustomized, kustomizeFiles, manifestFiles } from './files.ts';
import { kustomized } from './kustomize.ts';
import type { LookJob, Rendered, Unchanged } from './look.ts';
import { objectsOf } from './manifests.ts';
import { Repository } from './repository.ts';
import { allowed } from './source.ts';

/** Rejects as the parts say. */
export async function render(job: LookJob, signal: AbortSignal): Promise<Rendered | Unchanged> {
  const { wanted, rules, limits } = job;
  const { path = '', known, applied } = wanted;
  const repository = await Repository.open(job, await allowed(wanted.url, rules), signal);
  const { revision: named, ref } = await repository.resolve();
  if (named === known) return { revision: named, objects: undefined };
  const revision = await repository.fetch(ref);
  const descends = applied === revision || (applied !== undefined && (await repository.descends(revision, applied)));
  const folder = withoutSlashes(path);
  const entries = await repository.entries(revision, folder);
  if (!isKustomized(entries)) {
    const files = await manifestFiles(repository, entries, limits);
    return { revision, descends, objects: objectsOf(files, limits) };
  }
  const all = folder === '' ? entries : await repository.entries(revision, '');
  const files = await kustomizeFiles(repository, all, folder, limits);
  const made = await kustomized(job, files, folder, signal);
  return { revision, descends, objects: objectsOf([['what kustomize made', made]], limits) };
}

/** Without those at the end, in time linear in the path. */
function withoutSlashes(path: string): string {
  let end = path.length;
  while (end > 0 && path[end - 1] === '/') end--;
  return path.slice(0, end);
}
