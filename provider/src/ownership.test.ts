/** One field manager per stack: what is given up, what stays with others, what is taken, and what a plan says of it. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { appliedBy, FakeApi, failure } from './testing/fake-api.ts';
import type { ObjectValue } from './value/value.ts';

const HOME = '/apis/plumb.dev/v1/zones/home';

let api: FakeApi;
let core: Core;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' });
});

afterEach(async () => {
  core.close();
  await api.close();
});

const as = (stack?: string, more: ObjectValue = {}): Promise<Connection> =>
  core.configured({ endpoint: api.endpoint, ...(stack ? { stack } : {}), ...more });
const zone: ObjectValue = { name: 'home', description: 'A note.', labels: { rack: 'a' } };
const managers = () =>
  api.object(HOME)?.metadata.managedFields?.map(({ manager, operation }) => `${manager} ${operation}`);
/** Somebody declares with kubectl. */
const declareAs = (manager: string, description: string, labels: Record<string, string> = {}) =>
  api.put(
    HOME,
    appliedBy(manager, api.object(HOME)!, {
      ...{ apiVersion: 'plumb.dev/v1', kind: 'Zone' },
      ...{ metadata: { name: 'home', labels }, spec: { description } },
    }),
  );

describe('a stack', () => {
  test('is the manager of what it declares, and another stack is another', async () => {
    const shop = await as('shop');
    await shop.apply('plumb_zone', zone, null);
    expect(managers()).toEqual(['terraform:shop Apply']);
    const blog = await as('blog');
    const { state } = await blog.import('plumb_zone', 'home');
    await blog.apply('plumb_zone', { ...zone, description: 'Another.' }, state);
    expect(managers()?.sort()).toEqual(['terraform:blog Apply', 'terraform:shop Apply']);
  });

  test.each([
    ['named since', undefined, 'shop'],
    ['named otherwise since', 'shop', 'store'],
  ])('that was %s keeps what it declared before, and gives it up', async (_, before, after) => {
    const { state } = await (await as(before)).apply('plumb_zone', zone, null);
    const renamed = await as(after);
    const read = await renamed.read('plumb_zone', state!);
    const { errors } = await renamed.apply('plumb_zone', { name: 'home' }, read.state);
    expect(errors).toEqual([]);
    expect(managers()).toEqual([`terraform:${after} Apply`]);
    expect(api.object(HOME)?.spec).toEqual({});
    expect(api.object(HOME)?.metadata.labels ?? {}).toEqual({});
  });

  test('takes over what was declared before stacks had names', async () => {
    const { state } = await (await as('shop')).apply('plumb_zone', zone, null);
    const { managedFields, ...metadata } = api.object(HOME)!.metadata;
    const former = managedFields!.map((entry) => ({ ...entry, manager: 'terraform' }));
    api.put(HOME, { ...api.object(HOME)!, metadata: { ...metadata, managedFields: former } });
    const shop = await as('shop');
    const { state: read } = await shop.read('plumb_zone', state!);
    await shop.apply('plumb_zone', { name: 'home' }, read);
    expect(managers()).toEqual(['terraform:shop Apply']);
    expect(api.object(HOME)?.spec).toEqual({});
  });

  test('must have a name that people can read', async () => {
    const connection = core.connect();
    const { errors } = await connection.configure({ endpoint: api.endpoint, stack: 'a b' });
    expect(errors[0]).toContain('stack must be letters, digits');
  });
});

describe('a plan', () => {
  test.each([
    ['spec', { name: 'home', labels: { rack: 'a' } }, 'description'],
    ['a label', { name: 'home', description: 'A note.' }, 'labels["rack"]'],
  ])('says that what is declared no more stays, and with whom: %s', async (_, config, where) => {
    const shop = await as('shop');
    const { state } = await shop.apply('plumb_zone', zone, null);
    declareAs('kubectl', 'A note.', { rack: 'a' });
    const read = await shop.read('plumb_zone', state!);
    const { errors, failed } = await shop.plan('plumb_zone', config, read.state);
    expect({ failed, errors }).toEqual({
      failed: false,
      errors: [expect.stringContaining(`${where} stays: owned by "kubectl" | `)],
    });
    const applied = await shop.apply('plumb_zone', config, read.state);
    expect(applied.errors).toEqual([]);
    expect(api.object(HOME)).toMatchObject({ metadata: { labels: { rack: 'a' } }, spec: { description: 'A note.' } });
    // And then there is nothing more to do.
    const last = await shop.read('plumb_zone', applied.state!);
    expect((await shop.plan('plumb_zone', config, last.state)).state).toEqual(last.state);
  });

  test('warns of what it takes from another manager, and takes it', async () => {
    const shop = await as('shop');
    const { state } = await shop.apply('plumb_zone', zone, null);
    declareAs('kubectl', 'Mine.');
    const read = await shop.read('plumb_zone', state!);
    expect(read.state).toMatchObject({ description: 'Mine.' });
    const { errors, failed } = await shop.plan('plumb_zone', zone, read.state);
    expect({ failed, errors }).toEqual({
      failed: false,
      errors: [expect.stringMatching(/^description is taken from "kubectl" \| .* \| description$/)],
    });
    await shop.apply('plumb_zone', zone, read.state);
    expect(api.object(HOME)?.spec).toEqual({ description: 'A note.' });
  });

  test('refuses to take it where force_conflicts is false, on the attribute, and so does the server at once', async () => {
    const shop = await as('shop', { force_conflicts: false });
    const { state } = await shop.apply('plumb_zone', zone, null);
    declareAs('kubectl', 'Mine.');
    const read = await shop.read('plumb_zone', state!);
    const { errors, failed } = await shop.plan('plumb_zone', zone, read.state);
    expect({ failed, errors }).toEqual({
      failed: true,
      errors: [
        expect.stringMatching(/^description is owned by "kubectl" \| .*force_conflicts is false.* \| description$/),
      ],
    });
    // A plan that has not read it (-refresh=false) is refused by the server, which is not asked again and again.
    const causes = [{ field: '.spec.description', message: 'conflict with "kubectl"', reason: 'FieldManagerConflict' }];
    api.fault = ({ method, path }) =>
      method === 'PATCH' && path.endsWith('force=false')
        ? { code: 409, body: failure(409, 'Conflict', 'Apply failed with 1 conflict', causes) }
        : undefined;
    const refused = await shop.apply('plumb_zone', { ...zone, description: 'New.' }, state);
    expect(refused.errors).toEqual([expect.stringMatching(/^Invalid description .* \| description$/)]);
    expect(api.object(HOME)?.spec).toEqual({ description: 'Mine.' });
  });
});
