import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Found, refusal, unsafeOnTheWay } from './judge.ts';
import { readPrivate, readTrusted, writePrivate } from './private-file.ts';
import { checkContents, openPrivateFolder } from './private-folder.ts';
import { socketDistrust } from './trusted-text.ts';

let folder: string;
beforeEach(() => {
  folder = realpathSync(mkdtempSync(join(tmpdir(), 'plumb-private-')));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const at = (...names: string[]) => join(folder, ...names);
const mode = (path: string) => statSync(path).mode & 0o777;
const isRoot = process.geteuid?.() === 0;

function found(more: Partial<Record<'uid' | 'mode' | 'nlink', number>> & { type?: 'file' | 'folder' | 'link' }): Found {
  const { type = 'file', ...numbers } = more;
  return {
    ...{ uid: 1000, gid: 1000, mode: type === 'folder' ? 0o700 : 0o600, nlink: 1, ...numbers },
    isFile: () => type === 'file',
    isDirectory: () => type === 'folder',
    isSocket: () => false,
    isSymbolicLink: () => type === 'link',
  };
}

describe('what is ours', () => {
  const me = { uid: 1000, trusted: new Set([0, 1000]) };
  const why = (...args: Parameters<typeof found>) => {
    const wanted = args[0].type === 'folder' ? 'folder' : 'file';
    return refusal("/srv/it's", found(...args), wanted, me)?.message;
  };

  test('is taken, also when others can read it', () => {
    expect(why({})).toBeUndefined();
    expect(why({ mode: 0o644 })).toBeUndefined();
    expect(why({ type: 'folder', mode: 0o755 })).toBeUndefined();
  });

  test('is refused with the command that mends it', () => {
    expect(why({ uid: 4321 })).toMatch(/belongs to user 4321, .*chown -R 1000 '\/srv\/it'\\''s'/);
    expect(why({ uid: 0 })).toMatch(/belongs to root, /);
    expect(why({ mode: 0o620 })).toMatch(/chmod -R go-w '\/srv/);
    expect(why({ type: 'folder', mode: 0o1777 })).toMatch(/chmod -R go-w/);
    expect(why({ type: 'link' })).toMatch(/is a link/);
    expect(why({ mode: 0o644, nlink: 2 })).toMatch(/hard link/);
  });

  test('lies where nobody else can put another in its place', () => {
    const way = (...args: Parameters<typeof found>) => unsafeOnTheWay('/srv', found(...args), me, false)?.message;
    expect(way({ type: 'folder', uid: 0, mode: 0o755 })).toBeUndefined();
    expect(way({ type: 'folder', uid: 0, mode: 0o1777 })).toBeUndefined();
    expect(way({ type: 'link', uid: 0, mode: 0o777 })).toBeUndefined();
    expect(way({ type: 'folder', uid: 0, mode: 0o777 })).toMatch(/chmod go-w \/srv/);
    expect(way({ type: 'folder', uid: 0, mode: 0o775 })).toMatch(/chmod go-w/);
    expect(unsafeOnTheWay('/srv', found({ type: 'folder', mode: 0o775 }), me, true)).toBeUndefined();
    expect(way({ type: 'folder', uid: 1234 })).toMatch(/belongs to user 1234/);
    expect(way({ type: 'link', uid: 1234 })).toMatch(/belongs to user 1234/);
  });
});

describe('a folder', () => {
  test('is made with what leads to it, for its owner alone', () => {
    expect(openPrivateFolder(at('a', 'b'))).toBe(at('a', 'b'));
    expect([mode(at('a')), mode(at('a', 'b'))]).toEqual([0o700, 0o700]);
  });

  test('that others can read is closed to them, and it is said', () => {
    mkdirSync(at('a'), { mode: 0o755 });
    const lines: string[] = [];
    openPrivateFolder(at('a'), { log: (line) => lines.push(line) });
    expect(mode(at('a'))).toBe(0o700);
    expect(lines).toEqual([`${at('a')} could be read by other users: it is closed to them now`]);
  });

  test('through which others are to pass stays passable', () => {
    mkdirSync(at('a'), { mode: 0o755 });
    openPrivateFolder(at('a'), { passable: true });
    expect(mode(at('a'))).toBe(0o711);
    openPrivateFolder(at('a'));
    expect(mode(at('a'))).toBe(0o711);
  });

  test('that others can write, or that is a link, is refused, and is left as it is', () => {
    mkdirSync(at('a'));
    chmodSync(at('a'), 0o777);
    expect(() => openPrivateFolder(at('a'))).toThrow(/chmod -R go-w/);
    expect(mode(at('a'))).toBe(0o777);
    mkdirSync(at('b'));
    symlinkSync(at('b'), at('c'));
    expect(() => openPrivateFolder(at('c'))).toThrow(/is a link/);
    writeFileSync(at('d'), '');
    expect(() => openPrivateFolder(at('d'))).toThrow(/is no folder/);
  });

  test('is found through links of ours on the way, by its real path', () => {
    mkdirSync(at('real'), { mode: 0o700 });
    symlinkSync('real', at('link'));
    expect(openPrivateFolder(at('link', 'data'))).toBe(at('real', 'data'));
    symlinkSync(at('loop'), at('loop'));
    expect(() => openPrivateFolder(at('loop', 'data'))).toThrow(/too many links/);
  });

  test('below one that others can write is refused', () => {
    mkdirSync(at('open'));
    chmodSync(at('open'), 0o777);
    expect(() => openPrivateFolder(at('open', 'data'))).toThrow(/who could replace what is below it/);
    chmodSync(at('open'), 0o1777);
    expect(openPrivateFolder(at('open', 'data'))).toBe(at('open', 'data'));
  });

  test.runIf(isRoot)('of somebody else, or below one of somebody else, is refused', () => {
    mkdirSync(at('theirs'), { mode: 0o700 });
    mkdirSync(at('theirs', 'ours'), { mode: 0o700 });
    chownSync(at('theirs'), 12345, 12345);
    expect(() => openPrivateFolder(at('theirs'))).toThrow(/belongs to user 12345, and Plumb runs as root/);
    expect(() => openPrivateFolder(at('theirs', 'ours'))).toThrow(/belongs to user 12345, who could replace/);
  });

  test('has its contents checked: files, folders and sockets', async () => {
    const server = createServer().listen(at('socket'));
    await new Promise((resolve) => server.once('listening', resolve));
    writeFileSync(at('key'), 'k');
    chmodSync(at('key'), 0o644);
    mkdirSync(at('below'), { mode: 0o755 });
    checkContents(folder);
    expect([mode(at('key')), mode(at('below')), mode(at('socket')) & 0o066]).toEqual([0o600, 0o700, 0]);
    server.close();
    chmodSync(at('key'), 0o666);
    expect(() => checkContents(folder)).toThrow(/can be written by other users/);
    expect(() => checkContents(folder, undefined, (name) => name !== 'key')).not.toThrow();
  });
});

test('a socket is believed when its maker is, whoever may connect to it', async () => {
  const server = createServer().listen(at('socket'));
  await new Promise((resolve) => server.once('listening', resolve));
  chmodSync(at('socket'), 0o777);
  expect(socketDistrust(at('socket'))).toBeUndefined();
  expect(socketDistrust(at('none'))).toBeUndefined();
  if (isRoot) {
    chownSync(at('socket'), 12345, 12345);
    expect(socketDistrust(at('socket'))?.message).toMatch(/belongs to user 12345, who would answer there/);
  }
  server.close();
});

describe('a file', () => {
  test('is written for its owner alone, and read again', async () => {
    await writePrivate(at('new', 'file'), 'text');
    expect(mode(at('new'))).toBe(0o700);
    expect(mode(at('new', 'file'))).toBe(0o600);
    expect(await readPrivate(at('new', 'file'))).toBe('text');
    expect(await readPrivate(at('missing'))).toBeUndefined();
  });

  test('that is a link is neither read nor changed nor written through', async () => {
    writeFileSync(at('target'), 'theirs');
    chmodSync(at('target'), 0o644);
    symlinkSync(at('target'), at('link'));
    await expect(readPrivate(at('link'))).rejects.toMatchObject({ reason: 'NotPrivate', retry: 'terminal' });
    await writePrivate(at('link'), 'ours');
    expect([readFileSync(at('target'), 'utf8'), mode(at('target'))]).toEqual(['theirs', 0o644]);
    expect(await readPrivate(at('link'))).toBe('ours');
  });

  test('that has another name elsewhere is not changed', async () => {
    writeFileSync(at('target'), 'theirs');
    chmodSync(at('target'), 0o644);
    linkSync(at('target'), at('link'));
    await expect(readPrivate(at('link'))).rejects.toThrow(/hard link/);
    expect(mode(at('target'))).toBe(0o644);
  });

  test('that others can read is closed to them; that they can write is refused', async () => {
    writeFileSync(at('file'), 'text');
    chmodSync(at('file'), 0o644);
    const lines: string[] = [];
    expect(await readPrivate(at('file'), { log: (line) => lines.push(line) })).toBe('text');
    expect([mode(at('file')), lines.length]).toEqual([0o600, 1]);
    chmodSync(at('file'), 0o606);
    await expect(readPrivate(at('file'))).rejects.toThrow(/chmod -R go-w/);
    mkdirSync(at('folder'));
    await expect(readPrivate(at('folder'))).rejects.toThrow(/is no file/);
  });

  test('whose writer was killed before is written again', async () => {
    await writePrivate(at('file'), 'one');
    await writePrivate(at('file'), 'two');
    expect(await readPrivate(at('file'))).toBe('two');
    expect(existsSync(at(`file.${process.pid}.0.new`))).toBe(false);
  });

  test('that a person named is read through links, unless somebody else could have written it', async () => {
    writeFileSync(at('file'), 'text', { mode: 0o640 });
    symlinkSync(at('file'), at('link'));
    expect(await readTrusted(at('link'))).toBe('text');
    expect(mode(at('file'))).toBe(0o640);
    chmodSync(at('file'), 0o666);
    await expect(readTrusted(at('link'))).rejects.toThrow(/can be written by other users/);
  });
});
