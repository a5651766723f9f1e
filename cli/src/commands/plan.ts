import { terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, manifestsOf, parseCommand, withSession } from '../command.ts';
import { askPlan, questionOf, writePlan } from '../plan-review.ts';
import { changesAnything, planText } from '../plan-text.ts';

const FORMS = ['text', 'json', 'yaml'];

export const plan: Command = {
  usage: `plumb plan -f FILE-OR-FOLDER [-R] [-f …] | -k FOLDER [-n NAMESPACE] [--prune -l SELECTOR] [--out FILE]
           [-o text|json|yaml] [--detailed-exitcode] [--force-conflicts]

Asks the server's own planner; nothing is reserved and nothing is written.
+ is created, ~ is changed, -/+ is replaced, - is deleted.

--out FILE            keep the plan: "plumb apply --plan FILE" does it, if the world has not moved
--prune -l SELECTOR   and delete what was applied before, matches the selector and is declared no more
--detailed-exitcode   exit code 2 when anything would be done
--force-conflicts     as apply does with it: fields that others own are taken

Exit code 1 when something could never be done.
`,
  run(argv, surroundings) {
    const { values } = parseCommand(argv, {
      out: { type: 'string' },
      output: { type: 'string', short: 'o', default: 'text' },
      prune: { type: 'boolean', default: false },
      selector: { type: 'string', short: 'l' },
      'detailed-exitcode': { type: 'boolean', default: false },
      'force-conflicts': { type: 'boolean', default: false },
    });
    const form = values.output as string;
    if (!FORMS.includes(form))
      throw terminal('BadArgument', `-o must be one of ${FORMS.join(', ')}, but is ${JSON.stringify(form)}`);
    const selector = values.selector as string | undefined;
    if (selector !== undefined && !values.prune)
      throw terminal('BadArgument', '-l says what --prune may delete: say --prune, too, or leave out -l');
    return withSession(values, surroundings, async (session) => {
      const manifests = await manifestsOf(values, session, surroundings);
      const pruned = values.prune ? await (await import('../prune.ts')).toPrune(session, manifests, selector) : [];
      const asked = await askPlan(session.client, questionOf(manifests, pruned, values['force-conflicts'] === true));
      if (values.out !== undefined) await writePlan(values.out as string, asked);
      const { objects, affected } = asked.status;
      if (form === 'text') surroundings.out(planText(asked.status));
      else {
        const { spec: _, ...answer } = asked;
        surroundings.out(await (await import('../render.ts')).render(answer, form as 'json' | 'yaml'));
      }
      if ([...objects, ...affected].some(({ problem }) => problem?.terminal)) return 1;
      return values['detailed-exitcode'] && changesAnything(asked.status) ? 2 : 0;
    });
  },
};
