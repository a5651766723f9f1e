/** A state is never green while its object is not as declared, and never silent while it is being deleted. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi } from './testing/fake-api.ts';
import { type ObjectValue, UNKNOWN } from './value/value.ts';

const HOME = '/apis/plumb.dev/v1/zones/home';

let api: FakeApi;
let core: Core;
let terraform: Connection;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' });
  terraform = await core.configured({ endpoint: api.endpoint });
});

afterEach(async () => {
  core.close();
  await api.close();
});

const zone: ObjectValue = { name: 'home', description: 'A note.' };
const edited: ObjectValue = { ...zone, description: 'Another.' };
const limited = (config: ObjectValue): ObjectValue => ({
  ...config,
  timeouts: { create: '500ms', update: '500ms', delete: '500ms' },
});
const made = async (config: ObjectValue = zone) => (await terraform.apply('plumb_zone', config, null)).state!;
const isChange = async (config: ObjectValue, state: ObjectValue, connection = terraform) => {
  const { state: planned, errors } = await connection.plan('plumb_zone', config, state);
  return { change: JSON.stringify(text(planned)) !== JSON.stringify(text(state)), errors };
};
const refreshed = async (state: ObjectValue) => (await terraform.read('plumb_zone', state)).state!;
const stalled = (reason: string) => () => {
  const object = api.object(HOME)!;
  api.condition(object, 'False', reason, 'It cannot be.');
  api.condition(object, 'True', reason, 'It cannot be.', 'Stalled');
};
const waiting = (reason: string) => () => api.condition(api.object(HOME)!, 'False', reason, 'It waits.');

describe('green applies after a failed update (plugin-sdk#476, helm#857, cloudstack #58)', () => {
  test.each([
    ['DuplicateAddress', stalled],
    ['NoCapacity', stalled],
    ['DataLossNotAllowed', stalled],
    ['ReferenceNotFound', waiting],
    ['HostOffline', waiting],
  ])('after %s every plan shows the change, refreshed or not, until it is carried out', async (reason, how) => {
    const prior = await made();
    api.react = how(reason);
    const failed = await terraform.apply('plumb_zone', limited(edited), prior);
    expect(failed).toMatchObject({ failed: true, state: { status: { uid: 'uid-1', ready: false } } });
    // With -refresh=false, and after a refresh, which says why.
    expect((await isChange(limited(edited), failed.state!)).change).toBe(true);
    const read = await terraform.read('plumb_zone', failed.state!);
    expect(read.errors).toEqual([expect.stringContaining(`Zone home is not as declared: ${reason}`)]);
    expect(await isChange(limited(edited), read.state!)).toEqual({ change: true, errors: [] });
    // An apply of it fails again, and asks the server for it.
    const again = await terraform.apply('plumb_zone', limited(edited), read.state!);
    expect(again).toMatchObject({ failed: true, state: { status: { ready: false } } });
    // Once it is carried out, it is green.
    const { condition } = api;
    api.put(HOME, { ...api.object(HOME)!, status: { conditions: [] } });
    condition.call(api, api.object(HOME)!, 'True', 'Ready', 'Fine.');
    const last = await refreshed(again.state!);
    expect(await isChange(limited(edited), last)).toEqual({ change: false, errors: [] });
  });

  test('an edit that is taken back is taken back at the server, too', async () => {
    const prior = await made();
    api.react = stalled('DuplicateAddress');
    const { state } = await terraform.apply('plumb_zone', edited, prior);
    api.react = (object) => {
      api.put(HOME, { ...object, status: { conditions: [] } });
      api.condition(api.object(HOME)!, 'True', 'Ready', 'Fine.');
    };
    const back = await terraform.apply('plumb_zone', zone, await refreshed(state!));
    expect(back.errors).toEqual([]);
    expect(api.object(HOME)?.spec).toEqual({ description: 'A note.' });
    expect((await isChange(zone, back.state!)).change).toBe(false);
  });

  test('a server that goes away after it has taken the change', async () => {
    const hasty = await Core.start({}, 100);
    try {
      const connection = await hasty.configured({ endpoint: api.endpoint });
      const prior = await made();
      api.react = () => {};
      api.fault = ({ method, path }) =>
        path.includes('watch=') || (method === 'GET' && path === HOME && gone) ? { code: 503 } : undefined;
      const gone = true;
      // The new description is there; then nothing answers any more.
      const failed = await connection.apply('plumb_zone', limited(zone), { ...prior, description: 'Before.' });
      expect(failed).toMatchObject({ failed: true, state: { status: { ready: false } } });
      expect((await isChange({ ...zone, description: 'Before.' }, failed.state!, connection)).change).toBe(true);
    } finally {
      hasty.close();
    }
  });

  test('what stopped being as declared without Terraform is seen', async () => {
    const prior = await made();
    waiting('HostOffline')();
    const { state, errors } = await terraform.read('plumb_zone', prior);
    expect(errors).toEqual([expect.stringContaining('HostOffline | It waits.')]);
    const { state: planned } = await terraform.plan('plumb_zone', zone, state);
    expect(planned).toMatchObject({ status: { uid: 'uid-1', ready: UNKNOWN } });
    // The reason is told once in a run.
    expect((await terraform.plan('plumb_zone', zone, state)).errors).toEqual([]);
  });
});

describe('what is being deleted', () => {
  const dying = async () => {
    const prior = await made();
    api.held = () => true;
    await terraform.apply('plumb_zone', null, { ...prior, timeouts: { create: null, update: null, delete: '500ms' } });
    return prior;
  };

  test('a destroy that was not seen to end keeps the state, and the next plan, refreshed or not, replaces it', async () => {
    const prior = await made(limited(zone));
    api.held = () => true;
    const { state, failed } = await terraform.apply('plumb_zone', null, prior);
    expect({ state, failed }).toMatchObject({ state: { status: { uid: 'uid-1', ready: false } }, failed: true });
    expect(await terraform.plan('plumb_zone', limited(zone), state)).toMatchObject({ replace: ['status.uid'] });
    const read = await terraform.read('plumb_zone', state!);
    expect(read.errors).toEqual([expect.stringContaining('Zone home is being deleted')]);
    expect(await terraform.plan('plumb_zone', limited(zone), read.state)).toMatchObject({
      errors: [],
      replace: ['status.uid'],
    });
  });

  test('an interrupted destroy is not forgotten either', async () => {
    const prior = await made();
    api.held = () => true;
    const removed = terraform.apply('plumb_zone', null, prior);
    await until(() => api.watching === 1);
    await terraform.call('StopProvider', {});
    const { state, failed } = await removed;
    expect({ state, failed }).toMatchObject({ state: { status: { ready: false } }, failed: true });
    expect(await terraform.plan('plumb_zone', zone, state)).toMatchObject({ replace: ['status.uid'] });
  });

  test('somebody else deletes it: the plan says so', async () => {
    const prior = await dying();
    const read = await terraform.read('plumb_zone', prior);
    expect(read).toMatchObject({ failed: false, errors: [expect.stringContaining('is being deleted')] });
    expect((await terraform.plan('plumb_zone', zone, read.state)).replace).toEqual(['status.uid']);
  });

  test('a create beside it waits until it is gone', async () => {
    await dying();
    const created = terraform.apply('plumb_zone', zone, null);
    await until(() => api.watching === 1);
    api.remove(HOME);
    const { state, errors } = await created;
    expect(errors).toEqual([]);
    expect(state).toMatchObject({ status: { uid: 'uid-2', ready: true } });
  });

  test('a create beside one that stays says what that waits for, and does not tell to import it', async () => {
    await dying();
    const { state, errors } = await terraform.apply('plumb_zone', limited(zone), null);
    expect(state).toBeNull();
    expect(errors).toEqual([
      expect.stringContaining(
        'marked for deletion, but is still there: it waits for test. It took longer than the 500ms',
      ),
    ]);
    expect(errors[0]).not.toContain('import');
  });

  test('is not imported', async () => {
    await dying();
    const reply = await terraform.call('ImportResourceState', { typeName: 'plumb_zone', id: 'home' });
    expect(reply.diagnostics).toMatchObject([{ detail: expect.stringContaining('Zone home is being deleted') }]);
    expect(reply.importedResources).toEqual([]);
  });

  test('a data source warns, so that what stands on it can still be destroyed', async () => {
    await dying();
    expect(await terraform.data('plumb_zone', { name: 'home' })).toMatchObject({
      failed: false,
      state: { status: { ready: false } },
      errors: [expect.stringContaining('is being deleted')],
    });
  });
});

describe('Ctrl-C taints nothing that is merely under way (terraform#21652, incus #174 #199)', () => {
  const stopped = async (apply: Promise<unknown>) => {
    await until(() => api.watching === 1);
    await terraform.call('StopProvider', {});
    return apply;
  };

  test('a create gives its state back with a warning; the next plan waits for it instead of replacing it', async () => {
    api.react = waiting('Booting');
    const created = terraform.apply('plumb_zone', zone, null);
    await stopped(created);
    const { state, failed, errors } = await created;
    expect({ failed, errors }).toEqual({ failed: false, errors: [expect.stringContaining('was not waited for')] });
    expect(state).toMatchObject({ description: 'A note.', status: { uid: 'uid-1', ready: false } });
    const planned = await terraform.plan('plumb_zone', zone, state);
    expect(planned).toMatchObject({ replace: [], state: { status: { uid: 'uid-1', ready: UNKNOWN } } });
    api.condition(api.object(HOME)!, 'True', 'Ready', 'Fine.');
    terraform = await core.configured({ endpoint: api.endpoint });
    expect((await isChange(zone, await refreshed(state!))).change).toBe(false);
  });

  test('an update gives back what it declared, with a warning; the next plan waits for it', async () => {
    const prior = await made();
    api.react = waiting('Restarting');
    const updated = terraform.apply('plumb_zone', edited, prior);
    await stopped(updated);
    const { state, failed } = await updated;
    expect(failed).toBe(false);
    // As planned, since Terraform demands it of an apply without an error.
    expect(state).toMatchObject({ description: 'Another.', status: { uid: 'uid-1', ready: true } });
    expect((await isChange(edited, state!)).change).toBe(true);
  });

  test('what failed by itself is still taken back', async () => {
    api.held = () => true;
    api.react = (object) => {
      if (object.metadata.deletionTimestamp === undefined) stalled('BadSum')();
    };
    const created = terraform.apply('plumb_zone', zone, null);
    await stopped(created);
    const { state, errors } = await created;
    expect(state).toBeNull();
    expect(errors[0]).toContain('Zone home is not Ready: BadSum');
    expect(errors.join()).toContain('is being deleted again');
    expect(api.object(HOME)?.metadata.deletionTimestamp).toBeDefined();
  });
});

/** As text, with unknowns as a word. */
function text(value: unknown): unknown {
  if (value === UNKNOWN) return '(unknown)';
  if (Array.isArray(value)) return value.map(text);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, inner]) => [key, text(inner)]));
}

/** Resolves when it holds; what is waited for is on its way over a local socket. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setImmediate(resolve));
}
