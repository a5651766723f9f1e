/** Runs one of the projects in vitest.config.ts and counts what it reports. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { dirname, relative } from 'node:path';
import { type RunFailed, run } from './run.ts';

export interface Counted {
  passed: number;
  /** Full names, with the file. A file or a run that failed as a whole counts as one. */
  failed: string[];
  skipped: string[];
}

/** The part of vitest's JSON report that is read here. */
interface Report {
  success: boolean;
  testResults: {
    name: string;
    status: string;
    message?: string;
    assertionResults: { fullName: string; status: string }[];
  }[];
}

export interface SuiteOptions {
  root: string;
  /** Where the report goes. */
  report: string;
  /** Only these files, from the root; all of the project, if absent. */
  files?: readonly string[];
  /** A program with arguments that runs vitest, e.g. in a network namespace. */
  wrapper?: readonly string[];
  onLine: (line: string) => void;
}

export async function runSuite(project: string, options: SuiteOptions): Promise<Counted> {
  await mkdir(dirname(options.report), { recursive: true });
  await rm(options.report, { force: true });
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${options.report}`];
  const vitest = ['node_modules/.bin/node', 'node_modules/vitest/vitest.mjs', 'run', '--project', project];
  const [program = '', ...args] = [...(options.wrapper ?? []), ...vitest, ...reporters, ...(options.files ?? [])];
  const ended = await run(program, args, {
    cwd: options.root,
    env: { NO_COLOR: '1', FORCE_COLOR: undefined },
    accept: [0, 1],
    onLine: (line) => {
      if (line.trim() && !line.startsWith('JSON report written')) options.onLine(line);
    },
  }).catch((error: RunFailed) => error);
  const text = await readFile(options.report, 'utf8').catch(() => undefined);
  if (text === undefined) return { passed: 0, failed: [`${project}: vitest ended without a report`], skipped: [] };
  const counted = count(JSON.parse(text) as Report, options.root);
  const whole = ended instanceof Error || ended.code !== 0;
  if (whole && counted.failed.length === 0) counted.failed.push(`${project}: an error outside of any test, see above`);
  return counted;
}

/** Pure. Files are named as seen from `root`. */
export function count(report: Report, root: string): Counted {
  const counted: Counted = { passed: 0, failed: [], skipped: [] };
  for (const file of report.testResults) {
    const where = relative(root, file.name);
    const failedBefore = counted.failed.length;
    for (const test of file.assertionResults) {
      const name = `${where}: ${test.fullName}`;
      if (test.status === 'passed') counted.passed++;
      else if (test.status === 'failed') counted.failed.push(name);
      else counted.skipped.push(name);
    }
    if (file.status === 'failed' && counted.failed.length === failedBefore)
      counted.failed.push(`${where}: ${file.message?.split('\n')[0] ?? 'the file as a whole'}`);
  }
  return counted;
}
