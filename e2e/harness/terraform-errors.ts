/** What Terraform says of errors, read from its machine-readable output: nothing is wrapped or framed there. */
import type { Quickstart } from '../../scripts/quickstart.ts';

export interface TerraformError {
  /** Summary and detail. */
  text: string;
  /** Line of the configuration that is pointed at, from 1. */
  line: number | undefined;
}

interface Line {
  diagnostic?: { severity: string; summary: string; detail: string; range?: { start: { line: number } } };
}

/** Runs a command that is to fail, and returns its errors. Rejects when it does not fail. */
export async function errorsOf(quickstart: Quickstart, command: readonly string[]): Promise<TerraformError[]> {
  const { stdout } = await quickstart.run([...command, '-json', '-input=false'], { accept: [1] });
  const lines = stdout.split('\n').flatMap((line) => (line.startsWith('{') ? [JSON.parse(line) as Line] : []));
  return lines.flatMap(({ diagnostic: said }) =>
    said?.severity === 'error' ? [{ text: `${said.summary}\n${said.detail}`, line: said.range?.start.line }] : [],
  );
}
