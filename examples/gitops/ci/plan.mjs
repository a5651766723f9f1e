/** On a pull request or merge request: what merging it would do, by the server's own planner, as a comment. */
import { planComment, show } from './comment.mjs';
import { forgeOf } from './forge.mjs';
import { main, Refused } from './plumb.mjs';

const TITLES = {
  0: 'Plumb: nothing would be done',
  1: 'Plumb: this cannot be done',
  2: 'Plumb: what would be done',
};

await main(async (job) => {
  const forge = forgeOf();
  const number = forge.change();
  if (!number) throw new Refused('this is no job of a pull request or merge request');
  const tree = job.tree();
  const plan = await job.plan();
  const title = TITLES[plan.code] ?? `Plumb: exit code ${plan.code}`;
  job.say(plan.stdout + plan.stderr);
  await show(forge, number, job.manifests, planComment({ title, plan, tree, of: job.manifests }));
  return plan.code === 2 ? 0 : plan.code;
});
