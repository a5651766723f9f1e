/** The provider over its real protocol, against an API in memory: connections, interruptions and old state. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi, failure } from './testing/fake-api.ts';
import { type ObjectValue, UNKNOWN } from './value/value.ts';

const TOKEN = 'a-token-that-nobody-may-see';
const HOME = '/apis/plumb.dev/v1/zones/home';

let api: FakeApi;
let core: Core;
let terraform: Connection;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' });
  terraform = await core.configured({ endpoint: api.endpoint, token: TOKEN });
});

afterEach(async () => {
  core.close();
  await api.close();
});

const zone: ObjectValue = { name: 'home', description: 'A note.' };
const limited = (create: string): ObjectValue => ({ ...zone, timeouts: { create, update: create, delete: create } });
const made = async (config: ObjectValue = zone) => (await terraform.apply('plumb_zone', config, null)).state!;

describe('the connection', () => {
  test('each has its own server', async () => {
    const other = await FakeApi.start();
    try {
      const second = await core.configured({ endpoint: other.endpoint, token: 'other' });
      const [here, there] = await Promise.all([
        terraform.apply('plumb_zone', zone, null),
        second.apply('plumb_zone', { ...zone, description: 'There.' }, null),
      ]);
      expect([here.errors, there.errors]).toEqual([[], []]);
      expect(api.object(HOME)?.spec).toEqual({ description: 'A note.' });
      expect(other.object(HOME)?.spec).toEqual({ description: 'There.' });
      expect(new Set(other.seen.map((seen) => seen.authorization))).toEqual(new Set(['Bearer other']));
    } finally {
      await other.close();
    }
  });

  test('of several servers the next is asked where one is not there, or goes away in the middle', async () => {
    const other = await FakeApi.start();
    try {
      const endpoint = `http://127.0.0.1:1, ${other.endpoint}, ${api.endpoint}`;
      const many = await core.configured({ endpoint, token: TOKEN });
      other.react = (object) => void api.put(HOME, object);
      const applied = many.apply('plumb_zone', zone, null);
      await until(() => other.watching > 0);
      await other.close();
      api.condition(api.object(HOME)!, 'True', 'Ready', 'Fine.');
      expect((await applied).errors).toEqual([]);
      expect(api.seen.some(({ path }) => path.includes('watch=true'))).toBe(true);
    } finally {
      await other.close().catch(() => {});
    }
  });

  test('says when it is not configured, or only later', async () => {
    const connection = core.connect();
    const state = await made();
    expect((await connection.read('plumb_zone', state)).errors[0]).toContain(
      'Terraform has not configured the provider',
    );
    expect((await connection.configure({ endpoint: UNKNOWN })).errors).toEqual([]);
    expect((await connection.read('plumb_zone', state)).errors[0]).toContain('endpoint of the provider block will be');
    expect((await connection.plan('plumb_zone', zone, null)).errors).toEqual([]);
    expect((await connection.configure({})).errors[0]).toContain('No Plumb server is known');
  });

  test('a credential that is refused, and a server that is not Plumb', async () => {
    api.fault = () => ({ code: 401, body: failure(401, 'Unauthorized', 'no') });
    expect((await terraform.apply('plumb_zone', zone, null)).errors[0]).toContain('does not accept the credential');
    api.fault = () => ({ code: 404 });
    expect((await terraform.apply('plumb_zone', zone, null)).errors[0]).toContain('is it Plumb?');
  });

  test('StopProvider ends a wait at once, and the object stays in the state', async () => {
    api.react = (object) => api.condition(object, 'False', 'Booting', 'It boots.');
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    await terraform.call('StopProvider', {});
    const { state, errors } = await applied;
    expect(state).toMatchObject({ status: { uid: 'uid-1' } });
    expect(errors).toEqual([expect.stringContaining('Zone home is not Ready: Booting: It boots.')]);
    expect(api.object(HOME)).toBeDefined();
  });

  test('StopProvider does not lose what a request was about to make', async () => {
    const gate = Promise.withResolvers<undefined>();
    api.fault = ({ onlyNew }) => (onlyNew ? gate.promise : undefined);
    api.react = () => {};
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => api.seen.some(({ onlyNew }) => onlyNew));
    await terraform.call('StopProvider', {});
    gate.resolve(undefined);
    expect((await applied).state).toMatchObject({ status: { uid: 'uid-1' } });
  });

  test('StopProvider does not lose what a request has made whose answer is lost', async () => {
    api.fault = ({ onlyNew }) => (onlyNew ? { drop: true, after: true } : undefined);
    api.react = () => {};
    const applied = terraform.apply('plumb_zone', zone, null);
    await until(() => api.seen.some(({ onlyNew }) => onlyNew));
    await terraform.call('StopProvider', {});
    expect((await applied).state).toMatchObject({ status: { uid: 'uid-1' } });
  });

  test('a create that came to no clear end, with a server that stays away, says that it is not known', async () => {
    const hasty = await Core.start({}, 50);
    try {
      const connection = await hasty.configured({ endpoint: api.endpoint });
      api.fault = ({ onlyNew }) => (onlyNew ? { drop: true } : undefined);
      const applied = connection.apply('plumb_zone', limited('5s'), null);
      await until(() => api.seen.some(({ onlyNew }) => onlyNew));
      api.fault = () => ({ code: 503 });
      expect((await applied).errors[0]).toContain('Whether Zone home was created is not known');
    } finally {
      hasty.close();
    }
  });

  test('a server that is busy is asked again when it said, for whatever it was asked', async () => {
    const FASTER = 50;
    const hasty = await Core.start({}, FASTER);
    try {
      const connection = await hasty.configured({ endpoint: api.endpoint });
      const asked = new Map<string, number[]>();
      api.fault = ({ method, path }) => {
        const times = asked.get(`${method} ${path.split('?')[0]}`) ?? [];
        asked.set(`${method} ${path.split('?')[0]}`, [...times, performance.now()]);
        return times.length === 0 ? { code: 429, headers: { 'retry-after': '3' } } : undefined;
      };
      expect((await connection.apply('plumb_zone', zone, null)).errors).toEqual([]);
      expect(asked.has('PATCH /apis/plumb.dev/v1/zones/home')).toBe(true);
      for (const [what, [first, second]] of asked)
        expect([what, second! - first!]).toEqual([what, expect.toSatisfy((ms) => ms >= 3000 / FASTER - 1)]);
    } finally {
      hasty.close();
    }
  });

  test('a request that is larger than four MiB is taken', async () => {
    const web = {
      name: 'w',
      zone: 'z',
      offering: 'o',
      image: 'i',
      interfaces: [],
      user_data: 'x'.repeat(5 * 1024 * 1024),
    };
    expect((await terraform.validate('plumb_instance', web)).errors.join()).toContain('user_data must have at most');
  });

  test('no secret is in the logs', async () => {
    const userData = 'hush-this-is-user-data';
    const web = { name: 'w', zone: 'z', offering: 'o', image: 'i', user_data: userData };
    const interfaces = [{ name: 'eth0', l3_network: 'n' }];
    expect((await terraform.apply('plumb_instance', { ...web, interfaces }, null)).errors).toEqual([]);
    const logs = core.logs.join('');
    expect(logs).toContain('PATCH /apis/plumb.dev/v1/namespaces/default/instances/');
    expect(logs).not.toContain(TOKEN);
    expect(logs).not.toContain(userData);
  });
});

describe('state of other days', () => {
  test('is upgraded: what is unknown goes, what is new is null', async () => {
    const { state } = await terraform.upgrade('plumb_zone', '{"name":"home","gone":1,"status":{"uid":"u","host":"h"}}');
    expect(state).toEqual({
      name: 'home',
      deletion_protection: null,
      description: null,
      labels: null,
      annotations: null,
      timeouts: null,
      status: { uid: 'u', ready: null },
    });
  });

  test('moves from the other registry, and from no other type', async () => {
    const move = (sourceTypeName: string) =>
      terraform.call('MoveResourceState', {
        sourceProviderAddress: 'registry.opentofu.org/plumb/plumb',
        sourceTypeName,
        sourceState: { json: Buffer.from('{"name":"home"}') },
        targetTypeName: 'plumb_zone',
      });
    expect((await move('plumb_zone')).diagnostics).toEqual([]);
    expect((await move('plumb_host')).diagnostics).toMatchObject([
      { summary: 'The resource cannot be moved: NotMovable' },
    ]);
  });
});

/** Resolves when it holds; what is waited for is on its way over a local socket. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
