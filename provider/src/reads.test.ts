import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Connection, Core } from './testing/core.ts';
import { FakeApi, failure } from './testing/fake-api.ts';
import type { ObjectValue } from './value/value.ts';

let api: FakeApi;
let core: Core;
const states: ObjectValue[] = [];

beforeEach(async () => {
  api = await FakeApi.start();
  core = await Core.start();
  const terraform = await core.configured({ endpoint: api.endpoint });
  states.length = 0;
  for (let i = 0; i < 30; i++) states.push((await terraform.apply('plumb_zone', { name: `z-${i}` }, null)).state!);
  api.seen.length = 0;
});

afterEach(async () => {
  core.close();
  await api.close();
});

const refreshed = async (terraform: Connection, of: ObjectValue[] = states) =>
  (await Promise.all(of.map((state) => terraform.read('plumb_zone', state)))).map(({ state }) => state);

test('a refresh costs requests per kind, and gives what single reads give', async () => {
  const terraform = await core.configured({ endpoint: api.endpoint });
  expect(await refreshed(terraform)).toEqual(states);
  // Is it there; the first; the list.
  expect(api.seen).toHaveLength(3);
});

test('what is gone is gone, and what was read once is asked for anew', async () => {
  const terraform = await core.configured({ endpoint: api.endpoint });
  api.remove('/apis/plumb.dev/v1/zones/z-7');
  expect((await refreshed(terraform)).map((state) => state === null)).toEqual(states.map((_, i) => i === 7));
  api.remove('/apis/plumb.dev/v1/zones/z-8');
  expect(await refreshed(terraform, [states[8]!])).toEqual([null]);
});

test('where lists are forbidden, or too long, each is read by itself', async () => {
  const forbidden = { code: 403, body: failure(403, 'Forbidden', 'no') };
  const long = {
    code: 200,
    body: { kind: 'ZoneList', metadata: { remainingItemCount: 1e6, continue: 'x' }, items: [] },
  };
  for (const fault of [forbidden, long]) {
    api.fault = ({ path }) => (path.includes('limit=') ? fault : undefined);
    api.seen.length = 0;
    expect(await refreshed(await core.configured({ endpoint: api.endpoint }))).toEqual(states);
    expect(api.seen.length).toBeGreaterThanOrEqual(states.length);
  }
});
