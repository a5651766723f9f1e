/** Looks at real repositories. */
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { FETCH_USER, findUser } from '@plumb/schemas/sources/users.ts';
import { expect, test } from 'vitest';
import { looker } from './looker.ts';
import { makeRepository, type TestRepository } from './testing/repository.ts';

const never = new AbortController().signal;
const zone = (name: string) => `apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: ${name}}\n`;

const look = (repository: TestRepository, wanted: object = {}, limits: object = {}) =>
  looker({
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
