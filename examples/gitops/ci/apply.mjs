/**
 * On the branch that counts: applies what was shown on the pull request or merge request, and nothing else. Files and plan must be
 * those of the comment; if the world has moved, the comment shows the new plan, and running this job again is what approves it.
 */
import { planComment, show, shownOn } from './comment.mjs';
import { forgeOf } from './forge.mjs';
import { main, Refused } from './plumb.mjs';

const NOTE = 'Nothing was applied. If this is what you want, run the job that applies again.';

await main(async (job) => {
  const forge = forgeOf();
  const of = job.manifests;
  const tree = job.tree();
  const plan = await job.plan();
  job.say(plan.stdout + plan.stderr);
  if (plan.code === 0) return 0;
  const number = await forge.changeOf(forge.sha);
  if (!number) throw new Refused(`${forge.sha} came by no pull request or merge request: nobody has seen its plan`);
  if (plan.code !== 2) {
    await show(forge, number, of, planComment({ title: 'Plumb: this cannot be done now', plan, tree, of }));
    return plan.code;
  }
  const shown = await shownOn(forge, number, of);
  const again = async (title) => {
    await show(forge, number, of, planComment({ title, notes: [NOTE], plan, tree, of }));
    throw new Refused(`${title}: see the comment on ${number}. ${NOTE}`);
  };
  if (!shown) return again('Plumb: no plan was shown before');
  if (shown.tree !== tree) return again('Plumb: the files are not those that the plan was made of');
  if (shown.digest !== plan.digest) return again('Plumb: the world has moved since the plan was made');

  const applied = await job.apply(plan.file);
  job.say(applied.stdout + applied.stderr);
  const title = applied.code === 0 ? `Plumb: applied by ${forge.sha}` : `Plumb: applying ${forge.sha} failed`;
  const end = { ...applied, code: 1, digest: applied.code === 0 ? undefined : plan.digest };
  await show(forge, number, of, planComment({ title, plan: end, tree, of }));
  return applied.code;
});
