/** Each night: what is not as git declares it, and what on the machines is not as the server knows it. One issue, open as long as it is so. */
import { fenced } from './comment.mjs';
import { forgeOf } from './forge.mjs';
import { main, Refused } from './plumb.mjs';

await main(async (job) => {
  const forge = forgeOf();
  const mark = `<!-- plumb drift of=${encodeURIComponent(job.manifests)} -->`;
  job.tree();
  const plan = await job.plan();
  const drift = await job.drift();
  job.say(plan.stdout + plan.stderr + drift.stdout + drift.stderr);
  // Both end with 1 for what they found and for what went wrong; only then they have said nothing.
  for (const ran of [plan, drift])
    if (ran.code !== 0 && ran.stdout === '') throw new Refused('the report could not be made');
  const known = (await forge.issues()).find(({ body }) => body?.startsWith(mark));
  if (plan.code === 0 && drift.code === 0) {
    if (known) await forge.closeIssue(known.id);
    return 0;
  }
  const parts = [
    mark,
    `What ${job.manifests} declares and what the server has (\`plumb plan\`):`,
    fenced(plan.stdout + (plan.code === 1 ? plan.stderr : '')),
    'What the server has and what runs (`plumb drift`):',
    // The time that it took is another one each night.
    fenced(drift.stdout.replace(/; \d+ compared in [\d.]+ s\./, '.')),
  ];
  const body = parts.join('\n\n');
  if (!known) await forge.issue(`Plumb: ${job.manifests} and what runs differ`, body);
  else if (known.body !== body) await forge.editIssue(known.id, body);
  return 1;
});
