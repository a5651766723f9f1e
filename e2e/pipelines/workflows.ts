/** The jobs of the workflow files as their runners see them: what is run, and with which variables. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export const EXAMPLE = join(import.meta.dirname, '../../examples/gitops');

export interface Job {
  script: string;
  env: Record<string, string>;
}

export type JobName = 'plan' | 'apply' | 'drift';

/** `values`: what stands for each expression or variable. Throws for one that is not there. */
export function githubJob(name: JobName, values: Record<string, string>): Job {
  const { steps } = parse(readFileSync(join(EXAMPLE, 'github/plumb.yaml'), 'utf8')).jobs[name];
  const runs = steps.filter(({ run }: { run?: string }) => run !== undefined);
  if (runs.length !== 1) throw new Error(`${name} runs ${runs.length} scripts`);
  const env = Object.entries<string>(runs[0].env).map(([key, text]) => [
    key,
    text.replace(/\$\{\{ *([\w.]+) *\}\}/g, (_, expression) => given(values, expression)),
  ]);
  return { script: runs[0].run, env: Object.fromEntries(env) };
}

export function gitlabJob(name: JobName, values: Record<string, string>): Job {
  const { script, variables } = parse(readFileSync(join(EXAMPLE, 'gitlab/.gitlab-ci.yml'), 'utf8'))[name];
  const env = Object.entries<string>(variables).map(([key, text]) => [
    key,
    text.replace(/\$(\w+)/g, (_, variable) => given(values, variable)),
  ]);
  return { script: script.join('\n'), env: Object.fromEntries(env) };
}

function given(values: Record<string, string>, name: string): string {
  const value = values[name];
  if (value === undefined) throw new Error(`the workflow asks for ${name}, which no runner has`);
  return value;
}
