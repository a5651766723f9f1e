import { expect, test } from 'vitest';
import { run, runInNetwork } from './command.ts';

test('arguments and input reach the program as they are', async () => {
  const odd = `a b'"$(id)\`;|`;
  expect(await run(process.execPath, ['-e', 'process.stdout.write(process.argv[1])', odd])).toBe(odd);
  expect(await run('cat', [], { input: 'through\nthe pipe' })).toBe('through\nthe pipe');
});

test('a failure tells the program, its code and what it said', async () => {
  const script = 'process.stderr.write("it hurts"); process.exit(3)';
  await expect(run(process.execPath, ['-e', script])).rejects.toMatchObject({
    reason: 'CommandFailed',
    retry: 'retry',
    exitCode: 3,
    stderr: 'it hurts',
  });
});

test('a program that is not installed is terminal, and named', async () => {
  await expect(run('no-such-program-here', [])).rejects.toMatchObject({ reason: 'ProgramMissing', retry: 'terminal' });
});

test('a program that does not end is killed', async () => {
  await expect(run('sleep', ['60'], { timeoutMs: 50 })).rejects.toMatchObject({ exitCode: -1 });
});

test('in a network namespace the program and its arguments follow those of nsenter', async () => {
  const seen: unknown[] = [];
  const inner = async (...call: unknown[]) => {
    seen.push(call.slice(0, 2));
    return '';
  };
  await runInNetwork('/run/netns/lab', inner)('ip', ['link']);
  expect(seen).toEqual([['nsenter', ['--net=/run/netns/lab', '--', 'ip', 'link']]]);
});
