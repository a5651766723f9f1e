/**
 * The process that looks at one repository: the only one of the server that speaks to git servers and reads what strangers wrote
 * into repositories. It begins by giving up every right. The job comes by standard input, the answer goes by standard output.
 *
 *   node look-main.ts [UID GID]
 */
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { giveUpRoot } from '@plumb/schemas/sources/give-up-root.ts';
import { unusable } from './failures.ts';
import type { LookAnswer, LookJob } from './look.ts';
import { render } from './render.ts';

giveUpRoot(process.argv.slice(2).map(Number), 'the reader of repositories');
process.umask(0o077);
let text = '';
for await (const chunk of process.stdin.setEncoding('utf8')) text += chunk;
const answer = await answerTo(JSON.parse(text) as LookJob);
process.stdout.end(JSON.stringify(answer));

async function answerTo(job: LookJob): Promise<LookAnswer> {
  try {
    return { found: await render(job, new AbortController().signal) };
  } catch (thrown) {
    const error = thrown instanceof PlumbError ? thrown : unusable(`it cannot be read: ${(thrown as Error).message}`);
    const { reason, message, retry } = error;
    return { failure: { reason, message, retry } };
  }
}
