/** Looks at real repositories. */
import { chmodSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { FETCH_USER, findUser } from '@plumb/schemas/sources/users.ts';
import { expect, test } from 'vitest';
import { looker } from './looker.ts';
import { makeRepository, type TestRepository } from './testing/repository.ts';

const never = new AbortController().signal;
const zone = (name: string) => `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: ${name}}\n`;

const kustomize = join(import.meta.dirname, '../../../dist/kustomize/kustomize');
const look = (repository: TestRepository, wanted: object = {}, limits: object = {}, program?: string) =>
  looker({
    kustomize: program,
    rules: { folders: [repository.folder] },
    limits: { ...defaultServerLimits, ...limits },
    user: () => findUser(FETCH_USER),
    clock: realAmbient().clock,
  })({ url: repository.url, ref: 'main', ...wanted }, never);

test('the objects of a commit, and nothing when it is known', async () => {
  using repository = makeRepository({
    'estate/a.yaml': zone('a'),
    'estate/b/b.yml': `---\n${zone('b')}---\n${zone('c')}`,
  });
  const found = await look(repository, { path: 'estate' });
  expect(found.objects?.map(({ metadata }) => metadata.name)).toEqual(['a', 'b', 'c']);
  expect(await look(repository, { path: 'estate', known: found.revision })).toEqual({ revision: found.revision });
});

test('what takes too long is ended, with all that it has started', async () => {
  using repository = makeRepository({ 'a.yaml': zone('a') });
  const clock = {
    now: () => 0,
    after(_: number, run: () => void) {
      setImmediate(run);
      return () => {};
    },
  };
  const user = () => findUser(FETCH_USER);
  const late = looker({ rules: { folders: [repository.folder] }, limits: defaultServerLimits, user, clock });
  await expect(late({ url: repository.url, ref: 'main' }, never)).rejects.toMatchObject({
    ...{ reason: 'GitUnavailable', retry: 'retry' },
    message: expect.stringContaining('takes longer than 120 s'),
  });
});

test('what takes too much memory ends alone', async () => {
  const anchors = Array.from({ length: 60 }, (_, n) => `  k${n}: *a`).join('\n');
  using repository = makeRepository({
    'a.yaml': `${zone('a')}spec:\n  a: &a "${'x'.repeat(2_900_000)}"\n${anchors}\n`,
  });
  await expect(look(repository, {}, { gitManifestBytes: 4 * 1024 * 1024 })).rejects.toThrow(/more than 4194304 bytes/);
});

test('it is given up when nobody waits for it', async () => {
  using repository = makeRepository({ 'a.yaml': zone('a') });
  const abort = new AbortController();
  const given = looker({
    rules: { folders: [repository.folder] },
    limits: defaultServerLimits,
    user: () => findUser(FETCH_USER),
    clock: realAmbient().clock,
  })({ url: repository.url, ref: 'main' }, abort.signal);
  abort.abort(new Error('no more'));
  await expect(given).rejects.toThrow('no more');
});

test.runIf(process.getuid?.() === 0)(
  'root looks at nothing itself: without the user it says how to make it',
  async () => {
    using repository = makeRepository({ 'a.yaml': zone('a') });
    const limits = defaultServerLimits;
    for (const user of [undefined, { uid: 0, gid: 0 }]) {
      const given = looker({ rules: {}, limits, user: async () => user, clock: realAmbient().clock });
      await expect(given({ url: repository.url, ref: 'main' }, never)).rejects.toMatchObject({
        ...{ reason: 'FetchUserMissing', retry: 'terminal' },
        message: expect.stringMatching(/useradd --system .* plumb-fetch$/),
      });
    }
  },
);

test.runIf(process.getuid?.() === 0)('what only root may read is not read', async () => {
  using repository = makeRepository({ 'a.yaml': zone('a') });
  chmodSync(join(repository.path, '.git'), 0o700);
  await expect(look(repository)).rejects.toThrow(/cannot be read/);
});

const overlay = {
  'base/kustomization.yaml': 'resources: [zone.yaml]',
  'base/zone.yaml': zone('a'),
  'production/kustomization.yaml': 'resources: [../base]\nnamePrefix: production-\n',
};

test('a kustomization is refused where kustomize was not built', async () => {
  using repository = makeRepository(overlay);
  await expect(look(repository, { path: 'production' })).rejects.toThrow(
    /it needs kustomize, which was not built on the server/,
  );
});

test.runIf(existsSync(kustomize))('what kustomize makes of files of the commit', async () => {
  using repository = makeRepository(overlay);
  const found = await look(repository, { path: 'production' }, {}, kustomize);
  expect(found.objects?.map(({ metadata }) => metadata.name)).toEqual(['production-a']);
  repository.write('base/kustomization.yaml', 'resources: [zone.yaml, missing.yaml]');
  repository.commit();
  await expect(look(repository, { path: 'production' }, {}, kustomize)).rejects.toThrow(
    /missing\.yaml, which is not in the repository/,
  );
  repository.write('base/kustomization.yaml', 'resources: [zone.yaml]\npatches: [{target: {kind: Nope}, patch: "["}]');
  repository.commit();
  await expect(look(repository, { path: 'production' }, {}, kustomize)).rejects.toThrow(/kustomize refuses it: /);
});
