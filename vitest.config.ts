import { defineConfig } from 'vitest/config';
import { linkWorkspaces } from './scripts/link-workspaces.ts';
import { LongestFirst } from './scripts/longest-first.ts';
import { withMutant } from './scripts/mutants/plugin.ts';

linkWorkspaces();

/** What is waited for comes within milliseconds; on a busy machine it may take seconds. */
const patient = { poll: { timeout: 20_000 } };

/**
 * Suites by file name: `*.test.ts` (unit), `*.conformance.ts`, `*.e2e.ts` (real binaries, one file at a time), `*.clients.ts`
 * (programs in Go; `npm run e2e:clients`), and `*.newest.ts` (the newest Terraform and OpenTofu; `npm run e2e:terraform`).
 */
export default defineConfig({
  test: {
    // By itself vitest leaves one processor unused: on a machine with two, half of the machine.
    maxWorkers: '100%',
    sequence: { sequencer: LongestFirst },
    projects: [
      {
        plugins: withMutant(process.env.PLUMB_MUTANT),
        test: {
          name: 'unit',
          expect: patient,
          include: ['{schemas,client,reconciler,agent,provider,cli,scripts,bench,sim}/**/*.test.ts'],
          // Far more than they take: the machine may be busy.
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'conformance',
          expect: patient,
          include: ['{reconciler,agent}/**/*.conformance.ts'],
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: 'e2e',
          expect: patient,
          include: ['{e2e,bench}/**/*.e2e.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'newest',
          include: ['e2e/newest/*.newest.ts'],
          testTimeout: 240_000,
          hookTimeout: 240_000,
          fileParallelism: false,
        },
      },
      {
        test: {
          name: 'clients',
          include: ['e2e/clients/*.clients.ts'],
          // Go builds its libraries the first time.
          testTimeout: 1_200_000,
          hookTimeout: 1_200_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
