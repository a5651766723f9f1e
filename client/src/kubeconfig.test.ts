import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { findAccess } from './access.ts';
import { readKubeconfigs } from './kubeconfig.ts';
import { contextIn } from './kubeconfig-yaml.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-kubeconfig-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text, { mode: 0o600 });
  return path;
}

const TWO = `current-context: east
contexts:
- {name: east, context: {cluster: e, user: me}}
- {name: west, context: {cluster: w, user: me, namespace: shop}}
clusters:
- {name: e, cluster: {server: "https://e:1"}}
- {name: w, cluster: {server: "https://w:1/"}}
users:
- {name: me, user: {token: hush-hush}}
`;

const read = (...paths: string[]) => contextIn(readKubeconfigs(paths, 'Help.'), 'Help.');

describe('contexts', () => {
  test('the current one, or the one that is named', () => {
    const files = readKubeconfigs([file('two', TWO)], 'Help.');
    expect(contextIn(files, 'Help.')).toMatchObject({ endpoints: ['https://e:1'], namespace: undefined });
    expect(contextIn(files, 'Help.', 'west')).toEqual({
      endpoints: ['https://w:1'],
      token: 'hush-hush',
      namespace: 'shop',
      user: { path: join(folder, 'two'), name: 'me' },
      cluster: { path: join(folder, 'two'), name: 'w' },
    });
    expect(() => contextIn(files, 'Help.', 'north')).toThrow(/cannot be used: it has no context north\. Help\.$/);
  });

  test('of several files the first that says a thing wins, and each entry knows its file', () => {
    const mine = file('mine', 'current-context: west\nusers: [{name: me, user: {token: other}}]\n');
    const found = read(join(folder, 'nowhere'), mine, file('two', TWO));
    expect(found).toMatchObject({ endpoints: ['https://w:1'], token: 'other' });
    expect([found.user?.path, found.cluster.path]).toEqual([mine, join(folder, 'two')]);
  });

  test('a person at a terminal takes the file that is named, else those of the environment', async () => {
    const named = file('two', TWO);
    const other = file('other', TWO.replace('east\n', 'west\n'));
    expect(await findAccess(named, { KUBECONFIG: other })).toMatchObject({ endpoints: ['https://e:1'] });
    expect(await findAccess(undefined, { KUBECONFIG: `:${other}:${named}` })).toMatchObject({ namespace: 'shop' });
    expect(await findAccess(named, {}, 'west')).toMatchObject({ namespace: 'shop' });
    await expect(findAccess(join(folder, 'none'), {})).rejects.toMatchObject({ reason: 'NoKubeconfig' });
  });
});

test('more servers of one cloud stand in an extension, which other clients pass over', () => {
  const more =
    'extensions: [{name: x}, {name: plumb.dev/servers, extension: {servers: ["https://f:1/", "https://g:1"]}}]';
  const at = (text: string) => read(file('more', TWO.replace('server: "https://e:1"', text)));
  expect(at(`server: "https://e:1", ${more}`).endpoints).toEqual(['https://e:1', 'https://f:1', 'https://g:1']);
  const wrong = `server: "https://e:1", ${more.replace('https://g:1', 'https://me:hush-hush@g:1')}`;
  expect(() => at(wrong)).toThrow('its server https://g:1/ holds a name or password');
  for (const odd of ['extensions: 7', 'extensions: [null]', 'extensions: [{name: plumb.dev/servers, extension: []}]'])
    expect(at(`server: "https://e:1", ${odd}`).endpoints).toEqual(['https://e:1']);
});

describe('what cannot be used', () => {
  test.each([
    ['nothing', '', 'it names no current-context'],
    ['a list', '- a\n', 'it names no current-context'],
    ['a text', 'hush-hush', 'it is not a YAML mapping'],
    ['no YAML', 'users: [{token: hush-hush]', 'it is not YAML'],
    ['contexts that are none', 'current-context: a\ncontexts: 5\n', 'it has no context a'],
    ['entries that are none', 'current-context: a\ncontexts: [null, {name: a, context: 3}]\n', 'it has no context a'],
    ['no server', TWO.replace('server: "https://e:1"', 'server: 7'), 'its cluster e names no server'],
    ['no URL', TWO.replace('https://e:1', 'hush hush'), 'its server must be a URL as in'],
    [
      'a missing file',
      TWO.replace('token: hush-hush', 'tokenFile: gone'),
      'it names the file gone, which cannot be read',
    ],
    ['what Kubernetes has given up', TWO.replace('token: hush-hush', 'auth-provider: {}'), 'has an auth-provider'],
  ])('%s is said, and no credential', (_, content, why) => {
    const path = file('bad', content);
    expect(() => read(path)).toThrow(
      expect.objectContaining({ reason: 'BadKubeconfig', retry: 'terminal', message: expect.stringContaining(why) }),
    );
    expect(() => read(path)).not.toThrow(/hush-hush/);
  });

  test('the parser of YAML warns nobody, since it would quote what is a credential', () => {
    const warned = vi.spyOn(process, 'emitWarning');
    expect(() => read(file('tag', TWO.replace('hush-hush', '!odd hush-hush')))).not.toThrow();
    expect(warned).not.toHaveBeenCalled();
    warned.mockRestore();
  });

  test('a program is run only as a file says that nobody else could have written, and where nothing simpler is said', () => {
    const exec = 'exec: {apiVersion: client.authentication.k8s.io/v1, command: ./x}';
    const path = file('exec', TWO.replace('token: hush-hush', exec));
    expect(read(path).exec).toMatchObject({ command: join(folder, 'x') });
    expect(read(file('both', TWO.replace('token: hush-hush', `token: t, ${exec}`))).exec).toBeUndefined();
    chmodSync(path, 0o666);
    expect(() => read(path)).toThrow('it names a program to run, and');
  });
});
