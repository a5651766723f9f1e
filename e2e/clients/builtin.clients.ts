/**
 * client-go's typed clients, speaking protobuf alone, against the API: builtin/main.go. With PLUMB_RECORD=1 what it sent becomes what
 * `npm test` replays (reconciler/src/api/protobuf-replay.test.ts).
 */
import { execFile } from 'node:child_process';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Control, startControl } from '../kubectl/control.ts';

const run = promisify(execFile);
const GOLDEN = join(import.meta.dirname, '../../reconciler/src/api/testing/client-go-0.36.jsonl');

let control: Control;
beforeAll(async () => {
  control = await startControl();
});
afterAll(() => control?.close());

test('every built-in kind is created, read, watched, changed and deleted by a typed client of Go', async () => {
  const program = join(control.folder, 'builtin');
  await run('go', ['build', '-o', program, './builtin'], { cwd: import.meta.dirname });
  const record = join(control.folder, 'record.jsonl');
  const ran = await control.run(program, [control.kubeconfig, record]);
  expect(ran, ran.stderr).toMatchObject({ code: 0 });
  expect(ran.stdout.trim().split('\n')).toHaveLength(9);
  if (process.env.PLUMB_RECORD) await copyFile(record, GOLDEN);
  const paths = async (file: string) =>
    (await readFile(file, 'utf8'))
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { method: string; path: string; status: number })
      .map(({ method, path, status }) => `${method} ${path} ${status}`);
  expect(await paths(record)).toEqual(await paths(GOLDEN));
});
