/** Golden files: what a real API server answered, and which one. Only `npm run conformance:kube` writes them. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Transcript } from './case.ts';

export const GOLDEN: string = join(import.meta.dirname, 'testdata');

export interface Golden {
  /** What answered. */
  binary: { name: string; version: string; sha256: string };
  /** By name of the case. */
  answers: Record<string, Transcript[]>;
}

export function readGolden(name: string): Golden {
  return JSON.parse(readFileSync(join(GOLDEN, `${name}.json`), 'utf8')) as Golden;
}

/** An answer a line: differences between two recordings can be read. */
export function goldenText({ binary, answers }: Golden): string {
  const cases = Object.entries(answers).map(
    ([name, of]) =>
      `    ${JSON.stringify(name)}: [\n${of.map((one) => `      ${JSON.stringify(one)}`).join(',\n')}\n    ]`,
  );
  return `{\n  "binary": ${JSON.stringify(binary)},\n  "answers": {\n${cases.join(',\n')}\n  }\n}\n`;
}
