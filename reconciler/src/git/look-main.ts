/**
 * The process that looks at one repository: the only one of the server that speaks to git servers and reads what strangers wrote
 * into repositories. It begins by giving up every right. The job comes by standard input, the answer goes by standard output.
 *
 *   node look-main.ts [UID GID]
 */
import { readFileSync } from 'node:fs';
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { unusable } from './failures.ts';
import { isKustomized, kustomizeFiles, manifestFiles } from './files.ts';
import { kustomized } from './kustomize.ts';
import type { LookAnswer, LookJob, Rendered, Unchanged } from './look.ts';
import { objectsOf } from './manifests.ts';
import { Repository } from './repository.ts';
import { allowed } from './source.ts';

becomeNobody(process.argv.slice(2).map(Number));
process.umask(0o077);
let text = '';
for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
const answer = await answerTo(JSON.parse(text) as LookJob);
process.stdout.end(JSON.stringify(answer));

/** Gives up root for good, or ends. */
function becomeNobody([uid, gid]: number[]): void {
  if (process.getuid?.() === 0) {
    if (!uid || !gid) throw new Error('repositories are not looked at as root');
    process.setgroups?.([]);
    process.setgid?.(gid);
    process.setuid?.(uid);
  }
  const capabilities = process.platform === 'linux' ? readFileSync('/proc/self/status', 'utf8') : '';
  const left = capabilities.match(/^Cap(?:Prm|Eff|Inh):\s*0*[1-9a-f]/m);
  if (process.getuid?.() === 0 || process.geteuid?.() === 0 || left !== null)
    throw new Error('the rights of root could not be given up');
}

async function answerTo(job: LookJob): Promise<LookAnswer> {
  try {
    return { found: await look(job, new AbortController().signal) };
  } catch (thrown) {
    const error = thrown instanceof PlumbError ? thrown : unusable(`it cannot be read: ${(thrown as Error).message}`);
    const { reason, message, retry } = error;
    return { failure: { reason, message, retry } };
  }
}

async function look(job: LookJob, signal: AbortSignal): Promise<Rendered | Unchanged> {
  const { wanted, rules, limits } = job;
  const { path = '', known, applied } = wanted;
  const repository = await Repository.open(job, await allowed(wanted.url, rules), signal);
  const { revision: named, ref } = await repository.resolve();
  if (named === known) return { revision: named, objects: undefined };
  const revision = await repository.fetch(ref);
  const descends = applied === revision || (applied !== undefined && (await repository.descends(revision, applied)));
  const folder = path.replace(/\/+$/, '');
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
