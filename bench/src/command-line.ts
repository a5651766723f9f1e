import { parseArgs } from 'node:util';
import type { Case } from './case.ts';

export type Command =
  | { do: 'run'; chosen: Chosen[]; repetitions?: number; profile: boolean }
  | { do: 'report' }
  | { do: 'compare'; before: string; after?: string }
  | { do: 'turns'; commit: string; chosen: Chosen[]; pairs: number }
  | { do: 'help' };

/** A case at some of its sizes, or at others. */
export interface Chosen {
  case: Case;
  sizes: readonly number[];
}

export function usage(cases: readonly Case[]): string {
  const width = Math.max(...cases.map(({ name }) => name.length));
  return `npm run bench [-- CASE…] [--repetitions N] [--profile]
npm run bench -- compare BEFORE [AFTER]
npm run bench -- turns COMMIT CASE… [--pairs N]
npm run bench -- report

Measures each case beside its floor, prints the results and keeps them in bench/results, with a picture each. A CASE is a
name, or a name and a size: burst, burst-500. Without any: all.

  --repetitions N   measured repetitions of each size, behind one that warms up
  --profile         says which functions of the server use the processor, and keeps no results

compare shows what became better or worse beyond noise. BEFORE and AFTER are files like bench/results/results.json or
commits; without AFTER it is what was measured last. turns measures a commit and these sources in turns, N pairs (10, if
not given), and says by how much they differ, with 95 % confidence; it keeps no results. report writes results.md and the pictures again.

Cases:
${cases.map(({ name, title, sizes }) => `  ${name.padEnd(width)}   ${title}: ${sizes.join(', ')}`).join('\n')}
`;
}

/** Throws an Error whose message is for the person who typed it. */
export function parseCommand(argv: string[], cases: readonly Case[]): Command {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      repetitions: { type: 'string' },
      pairs: { type: 'string', default: '10' },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  if (values.help) return { do: 'help' };
  const [first, ...rest] = positionals;
  if (first === 'report' && rest.length === 0) return { do: 'report' };
  if (first === 'compare') {
    const [before, after, ...more] = rest;
    if (before === undefined || more.length > 0)
      throw new Error('compare takes what was before and, if you like, after');
    return { do: 'compare', before, after };
  }
  if (first === 'turns') {
    const [commit, ...names] = rest;
    if (commit === undefined || names.length === 0)
      throw new Error('turns takes a commit and a case: turns HEAD~1 burst-500');
    const pairs = positive(values.pairs, 'pairs');
    if (pairs < 2) throw new Error('--pairs must be at least 2: an interval needs two');
    return { do: 'turns', commit, chosen: names.map((name) => choose(name, cases)), pairs };
  }
  const repetitions = values.repetitions === undefined ? undefined : positive(values.repetitions, 'repetitions');
  const chosen =
    positionals.length === 0
      ? cases.map((one) => ({ case: one, sizes: one.sizes }))
      : positionals.map((name) => choose(name, cases));
  return { do: 'run', chosen, repetitions, profile: values.profile };
}

function choose(name: string, cases: readonly Case[]): Chosen {
  const whole = cases.find((one) => one.name === name);
  if (whole) return { case: whole, sizes: whole.sizes };
  const [, prefix, size] = /^(.+)-([1-9]\d*)$/.exec(name) ?? [];
  const sized = cases.find((one) => one.name === prefix);
  if (sized) return { case: sized, sizes: [Number(size)] };
  throw new Error(`${name}: no such case; there are ${cases.map((one) => one.name).join(', ')}`);
}

function positive(text: string, option: string): number {
  const value = Number(text);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${option} must be a whole number of at least 1, not ${text}`);
}
