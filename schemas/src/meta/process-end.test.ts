import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect, onTestFinished, test } from 'vitest';
import { type EndingProcess, watchForEnd } from './process-end.ts';

const CHILD = fileURLToPath(new URL('./process-end-child.ts', import.meta.url));

function start(...args: string[]) {
  const child = spawn(process.execPath, [CHILD, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
  onTestFinished(() => void child.kill('SIGKILL'));
  let said = '';
  let changed = Promise.withResolvers<void>();
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (part) => {
      said += part;
      changed.resolve();
      changed = Promise.withResolvers();
    });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    child,
    ended,
    said: () => said,
    async hears(text: string) {
      while (!said.includes(text)) await changed.promise;
    },
  };
}

test('the first signal asks for the end, the second one does not wait for it', async () => {
  const { child, ended, hears } = start();
  await hears('ready');
  child.kill('SIGTERM');
  await hears('wanted 0');
  child.kill('SIGTERM');
  expect(await ended).toBe(143);
});

test('a process that cannot go on says why once, and obeys the first SIGTERM', async () => {
  const { child, ended, hears, said } = start('fatal');
  await hears('wanted 1');
  await hears('ready');
  expect(said()).toContain('the child: cannot go on: the disk is gone\n');
  child.kill('SIGTERM');
  expect(await ended).toBe(1);
});

test('what nothing catches ends the process at once, with its reason, and is noted', async () => {
  const { ended, said } = start('crash');
  expect(await ended).toBe(1);
  expect(said()).toContain('the child: cannot go on: Error: nobody catches this');
  expect(said()).toContain('noted');
});

test.each([
  { what: 'a signal', begin: (heard: Heard) => heard('SIGTERM'), code: 0 },
  { what: 'a reason', begin: (_: Heard, fatal: (error: Error) => void) => fatal(new Error('why')), code: 1 },
])('what has not ended 10 s after $what is ended', async ({ begin, code }) => {
  const listeners = new Map<string, (given?: unknown) => void>();
  const exits: number[] = [];
  const timers: { ms: number; run: () => void }[] = [];
  const fake: EndingProcess = {
    on: (event, listener) => listeners.set(event, listener),
    stderr: { write: () => true },
    exit: (ended) => exits.push(ended),
  };
  const end = watchForEnd('it', { process: fake, after: (ms, run) => timers.push({ ms, run }) });
  begin((signal) => listeners.get(signal)!(), end.fatal);
  begin(() => {}, end.fatal);
  expect(await end.wanted).toBe(code);
  expect(exits).toEqual([]);
  expect(timers.map(({ ms }) => ms)).toEqual([10_000]);
  timers[0]!.run();
  expect(exits).toEqual([1]);
});

type Heard = (signal: 'SIGTERM') => void;
