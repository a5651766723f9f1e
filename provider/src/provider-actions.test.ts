/** Actions over the real protocol. */
import type { PlumbObject } from '@plumb/schemas';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { actions } from './actions/list.ts';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi } from './testing/fake-api.ts';
import { encodeObject } from './value/msgpack.ts';
import type { ObjectValue } from './value/value.ts';

const WEB = '/apis/plumb.dev/v1/namespaces/shop/instances/web';
const HOST = '/apis/plumb.dev/v1/hosts/h1';

let api: FakeApi;
let core: Core;
let terraform: Connection;

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start({ HOME: '/nowhere' });
  terraform = await core.configured({ endpoint: api.endpoint, token: 'a-token' });
  const metadata = { uid: 'u1', generation: 1, creationTimestamp: '', resourceVersion: '' };
  const put = (path: string, kind: string, names: object, spec: object) =>
    api.put(path, {
      apiVersion: 'plumb.dev/v1',
      kind,
      metadata: { ...metadata, ...names },
      spec,
    } as unknown as PlumbObject);
  put(WEB, 'Instance', { name: 'web', namespace: 'shop' }, { power: 'Running' });
  put(HOST, 'Host', { name: 'h1' }, { zone: 'home' });
});

afterEach(async () => {
  core.close();
  await api.close();
});

async function invoke(actionType: string, config: ObjectValue): Promise<{ said: string[]; errors: string[] }> {
  const request = { actionType, config: { msgpack: encodeObject(config, actions[actionType]!.attributes) } };
  for (const rpc of ['ValidateActionConfig', 'PlanAction']) {
    const { diagnostics } = await terraform.call(rpc, request);
    if (diagnostics!.length > 0) return { said: [], errors: diagnostics!.map(({ detail }) => detail) };
  }
  const events = (await terraform.stream('InvokeAction', request)) as {
    progress?: { message: string };
    completed?: { diagnostics: { summary: string; detail: string }[] };
  }[];
  expect(events.map(({ completed }) => Boolean(completed))).toEqual(events.map((_, i) => i === events.length - 1));
  return {
    said: events.flatMap(({ progress }) => (progress ? [progress.message] : [])),
    errors: events.at(-1)!.completed!.diagnostics.map(({ summary, detail }) => `${summary} | ${detail}`),
  };
}

const powers = () =>
  api.seen.flatMap(({ method, body }) => (method === 'PATCH' ? [(body!.spec as { power: string }).power] : []));

test('a power cycle stops, waits, and starts again', async () => {
  const { said, errors } = await invoke('plumb_power_cycle', { name: 'web', project: 'shop' });
  expect(errors).toEqual([]);
  expect(said).toEqual(['Instance shop/web is stopped.', 'Instance shop/web runs again.']);
  expect(powers()).toEqual(['Stopped', 'Running']);
});

test('an instance whose stop fails is started all the same, and it is said why', async () => {
  api.react = (object) => {
    const failed = object.spec.power === 'Stopped';
    api.condition(object, failed ? 'False' : 'True', failed ? 'Odd' : 'Ready', 'It does not stop.');
    if (failed) api.condition(object, 'True', 'Odd', 'It does not stop.', 'Stalled');
  };
  const { said, errors } = await invoke('plumb_power_cycle', { name: 'web', project: 'shop' });
  expect([said, errors]).toEqual([[], [expect.stringContaining('Odd | It does not stop.')]]);
  expect(api.object(WEB)!.spec.power).toBe('Running');
});

test('one that is declared to be stopped, and one that is not there, are left alone', async () => {
  api.object(WEB)!.spec.power = 'Stopped';
  expect((await invoke('plumb_power_cycle', { name: 'web', project: 'shop' })).errors[0]).toContain('to be stopped');
  expect((await invoke('plumb_power_cycle', { name: 'web' })).errors[0]).toContain('There is no Instance default/web.');
  expect(powers()).toEqual([]);
});

test('a host is cordoned and let in again; what failed is tried again; a repository is looked at', async () => {
  expect((await invoke('plumb_cordon', { name: 'h1' })).said).toEqual(['Host h1 is cordoned.']);
  expect(api.object(HOST)!.spec).toEqual({ zone: 'home', unschedulable: true });
  expect((await invoke('plumb_uncordon', { name: 'h1' })).errors).toEqual([]);
  expect(api.object(HOST)!.spec.unschedulable).toBe(false);
  api.fault = ({ method }) => (method === 'POST' ? { code: 200, body: {} } : undefined);
  expect((await invoke('plumb_retry', { name: 'web', project: 'shop' })).errors).toEqual([]);
  expect(api.seen.at(-1)!.path).toBe('/apis/plumb.dev/v1/flows/u1/retry');
});

test('a name that is none is refused before anything is asked', async () => {
  for (const type of Object.keys(actions)) {
    expect((await invoke(type, { name: 'No Name' })).errors).toEqual([expect.stringContaining('must match')]);
  }
  expect(api.seen).toEqual([]);
});
