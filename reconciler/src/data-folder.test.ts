/** A data folder that somebody else may have prepared. */
import {
  chmodSync,
  chownSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDataFolder } from './data-folder.ts';
import { serve } from './main.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'plumb-data-')));
});
afterEach(() => rmSync(folder, { recursive: true }));

const data = (...names: string[]) => join(folder, 'data', ...names);
const mode = (path: string) => statSync(path).mode & 0o777;
const lines: string[] = [];
const open = () => openDataFolder(data(), (line) => lines.push(line));

/** A server that was refused: nothing of it ran. */
const refused = () =>
  serve({ dataDir: data(), listen: { host: '127.0.0.1', port: 0 }, log: () => {}, onFatal: () => {} }).then(
    (plane) => plane.close(),
    (error) => error,
  );

test('is made for its owner alone', () => {
  expect(open()).toBe(data());
  expect([data(), data('pki'), data('store')].map(mode)).toEqual([0o700, 0o700, 0o700]);
});

test('that others could read is closed to them, with every file that matters, and it is said', () => {
  for (const name of ['pki', 'store']) mkdirSync(data(name), { recursive: true });
  const files = [data('pki', 'ca.key'), data('store', 'store.db'), data('kubeconfig'), data('join-token')];
  for (const file of files) writeFileSync(file, '');
  for (const path of [data(), data('pki'), data('store')]) chmodSync(path, 0o755);
  for (const file of files) chmodSync(file, 0o644);
  lines.length = 0;
  open();
  expect([data(), data('pki'), data('store')].map(mode)).toEqual([0o700, 0o700, 0o700]);
  expect(files.map(mode)).toEqual(files.map(() => 0o600));
  expect(lines).toHaveLength(7);
});

test.each([
  'pki',
  'store',
  'kubeconfig',
  'join-token',
  'pki/ca.crt',
  'pki/ca.key',
  'store/store.db',
  'store/store.db-wal',
])(
  'in which %s is a link, or can be written by others, is refused, and what the link names is left as it is',
  async (name) => {
    mkdirSync(data(...name.split('/').slice(0, -1)), { recursive: true });
    const target = join(folder, 'target');
    if (name.includes('/') || name.includes('-') || name === 'kubeconfig') writeFileSync(target, 'theirs');
    else mkdirSync(target);
    chmodSync(target, 0o755);
    symlinkSync(target, data(name));
    expect(await refused()).toMatchObject({ reason: 'NotPrivate', retry: 'terminal' });
    expect(mode(target)).toBe(0o755);
    rmSync(data(name));
    if (statSync(target).isDirectory()) mkdirSync(data(name));
    else writeFileSync(data(name), '');
    chmodSync(data(name), 0o666);
    expect(await refused()).toMatchObject({ message: expect.stringContaining(`chmod -R go-w ${data(name)}`) });
  },
);

test.runIf(process.geteuid?.() === 0)(
  'of another user, or with a file of another user, is refused: his keys are not ours',
  async () => {
    mkdirSync(data('pki'), { recursive: true, mode: 0o700 });
    writeFileSync(data('pki', 'ca.key'), 'theirs', { mode: 0o600 });
    chownSync(data('pki', 'ca.key'), 65534, 65534);
    expect(await refused()).toMatchObject({
      message: expect.stringMatching(/ca.key belongs to \w+, and Plumb runs as root/),
    });
    chownSync(data('pki', 'ca.key'), 0, 0);
    chownSync(data(), 65534, 65534);
    const { message } = (await refused()) as Error;
    expect(message).toContain(`chown -R 0 ${data()}`);
    expect(readFileSync(data('pki', 'ca.key'), 'utf8')).toBe('theirs');
  },
);
