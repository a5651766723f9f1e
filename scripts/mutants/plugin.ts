/** Loads one source with the fault that the environment names: PLUMB_MUTANT is JSON of a file, a line and what it becomes. */
import type { Vite } from 'vitest/node';
import { mutated } from './mutations.ts';

export function withMutant(text: string | undefined): Vite.Plugin[] {
  if (text === undefined) return [];
  const { file, line, becomes } = JSON.parse(text) as { file: string; line: number; becomes: string };
  return [
    {
      name: 'mutant',
      enforce: 'pre',
      transform: (code, id) => (id === file ? mutated(code, { line, becomes }) : undefined),
      configureVitest: ({ defineCacheKeyGenerator }) =>
        defineCacheKeyGenerator(({ id }) => (id === file ? false : undefined)),
    },
  ];
}
