import { describe, expect, test } from 'vitest';
import { count } from './vitest.ts';

const result = (fullName: string, status: string) => ({ fullName, status });

describe('counting a report', () => {
  test('whatever neither passed nor failed was skipped, and has a name', () => {
    const counted = count(
      {
        success: false,
        testResults: [
          {
            name: '/repo/a.test.ts',
            status: 'failed',
            assertionResults: [
              result('adds', 'passed'),
              result('divides', 'failed'),
              result('guesses', 'skipped'),
              result('dreams', 'todo'),
            ],
          },
        ],
      },
      '/repo',
    );
    expect(counted).toEqual({
      passed: 1,
      failed: ['a.test.ts: divides'],
      skipped: ['a.test.ts: guesses', 'a.test.ts: dreams'],
    });
  });

  test('a file that cannot even be loaded is a failure', () => {
    const file = { name: '/repo/b.test.ts', status: 'failed', message: 'SyntaxError: no\n at x', assertionResults: [] };
    expect(count({ success: false, testResults: [file] }, '/repo').failed).toEqual(['b.test.ts: SyntaxError: no']);
  });
});
