/**
 * The process that looks at one repository: the only one of the server that speaks to git servers and reads what strangers wrote
 * into repositories. It begins by giving up every right. The job comes by standard input, the answer goes by standard output.
 *
 *   node look-main.ts [UID GID]
 */
import { readFileSync } from 'node:fs';
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { unusable } from './failures.ts';
import type { LookAnswer, LookJob } from './look.ts';
import { render } from './render.ts';

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
    return { found: await render(job, new AbortController().signal) };
  } catch (thrown) {
    const error = thrown instanceof PlumbError ? thrown : unusable(`it cannot be read: ${(thrown as Error).message}`);
    const { reason, message, retry } = error;
    return { failure: { reason, message, retry } };
  }
}
