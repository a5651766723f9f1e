import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Latencies } from './latencies.ts';
import { ROOT, type Surroundings } from './machine.ts';

/** One size of a case, as it was last measured. Every figure with its value in each repetition. */
export interface Row {
  size: number;
  repetitions: number;
  measured: Surroundings;
  /** Cores that others kept busy during the measured repetitions, on average. */
  othersCores: number;
  figures: Record<string, number[]>;
  /** Beside them, in the same repetitions; empty where a case has no floor. */
  floor: Record<string, number[]>;
  latencies?: Latencies;
}

/** By case, then in the order of sizes. */
export interface Results {
  format: 2;
  cases: Record<string, Row[]>;
}

export const RESULTS = join(ROOT, 'bench', 'results');
const JSON_FILE = 'results.json';

/** What is kept in the folder; nothing, when there is no file yet. */
export function readResults(folder: string): Results {
  try {
    return parseResults(readFileSync(join(folder, JSON_FILE), 'utf8'), folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return { format: 2, cases: {} };
    throw error;
  }
}

/** The results in the file `of`, or those that were committed with the commit `of`. */
export function resultsOf(of: string): Results {
  let text: string;
  try {
    text = readFileSync(of, 'utf8');
  } catch {
    try {
      const git = ['show', `${of}:bench/results/${JSON_FILE}`];
      text = execFileSync('git', git, { cwd: ROOT, encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    } catch {
      throw new Error(`${of} is neither a file with results nor a commit that has bench/results/${JSON_FILE}`);
    }
  }
  return parseResults(text, of);
}

export function parseResults(text: string, where: string): Results {
  const results = JSON.parse(text) as Results;
  if (results.format !== 2)
    throw new Error(`the results in ${where} are of a format that this version does not read: measure again`);
  return results;
}

/** Puts the row in the place of the one that was measured before. */
export function addRow(results: Results, name: string, row: Row): void {
  const others = (results.cases[name] ?? []).filter(({ size }) => size !== row.size);
  results.cases[name] = [...others, row].sort((a, b) => a.size - b.size);
}

export function writeResults(folder: string, results: Results): void {
  mkdirSync(folder, { recursive: true });
  // A repetition's values on one line: the file is compared by people, too.
  const text = JSON.stringify(results, undefined, 2).replace(/\[[\d\s.,e+-]+\]/g, (list) => list.replace(/\s+/g, ' '));
  writeFileSync(join(folder, JSON_FILE), `${text}\n`);
}
