/** What does not go together on the command line of `plumb apply`. */
import { terminal } from '@plumb/schemas/meta/error.ts';
import { namesFiles, type Sources } from './command.ts';
import type { DryRun } from './submit.ts';

const OUTPUTS = ['name', 'yaml', 'json'] as const;

export interface Options {
  output: (typeof OUTPUTS)[number] | undefined;
  plan: string | undefined;
  prune: boolean;
  selector: string | undefined;
  dryRun: DryRun | undefined;
  /** Whether fields that others own are taken. */
  force: boolean;
}

/** Throws PlumbError `BadArgument` (terminal) for what does not go together. */
export function optionsOf(values: Record<string, unknown> & Sources): Options {
  const [plan, selector, asked] = [values.plan, values.selector, values['dry-run']] as (string | undefined)[];
  const wrong = (sentence: string) => terminal('BadArgument', sentence);
  if (asked !== undefined && !['client', 'server', 'none'].includes(asked))
    throw wrong(`--dry-run must be client, server or none, but is ${JSON.stringify(asked)}`);
  const dryRun = asked === 'none' ? undefined : (asked as DryRun | undefined);
  const prune = values.prune === true;
  if (selector !== undefined && !prune)
    throw wrong('-l says what --prune may delete: say --prune, too, or leave out -l');
  if (plan !== undefined && (namesFiles(values) || prune))
    throw wrong('--plan says all that is done: leave out -f, -k and --prune');
  if (values.atomic && (prune || dryRun))
    throw wrong(`--atomic does not go with ${prune ? '--prune' : '--dry-run'}: plumb plan shows what it would do`);
  if (values.wait && values['no-wait']) throw wrong('--wait and --no-wait contradict each other');
  const force = values['force-conflicts'] === true;
  if (force && values.atomic) throw wrong('--atomic replaces objects whole: leave out --force-conflicts');
  const output = values.output as Options['output'];
  if (output !== undefined && !OUTPUTS.includes(output))
    throw wrong(`-o must be one of ${OUTPUTS.join(', ')}, but is ${JSON.stringify(output)}`);
  if (output !== undefined && output !== 'name' && (dryRun || values.atomic))
    throw wrong(`-o ${output} prints what is stored: it does not go with --dry-run or --atomic`);
  return { plan, prune, selector, dryRun, force, output };
}
