import { type ApiRig, manifests, startApiRig, V1 } from '@plumb/reconciler/api/testing/rig.ts';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { runPlumb } from './testing/run.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
  for (const [name, labels] of [
    ['a1', { app: 'a1', n: '5' }],
    ['a2', { app: 'a2', n: '7' }],
    ['none', {}],
  ] as const)
    await api.ask('POST', `${V1}/zones`, { body: manifests.zone(name, { labels }) });
});
afterAll(() => api.stop());

const plumb = (...args: string[]) => runPlumb(api, args, { input: '' });

/** Zones that somebody has asked to delete. */
async function going(): Promise<string[]> {
  const { items } = (await api.ask('GET', `${V1}/zones`)).body;
  return items
    .filter((zone: { metadata: { deletionTimestamp?: string } }) => zone.metadata.deletionTimestamp)
    .map((zone: { metadata: { name: string } }) => zone.metadata.name);
}

test.each([['app!=a1;env=test'], ['app notin (a1 a2)'], ['!n>6'], ['app!=-x'], ["app!=a'1'"], ['a,']])(
  'a selector that cannot be read shows and deletes nothing: %s',
  async (selector) => {
    for (const command of ['get', 'delete']) {
      const { code, out, err } = await plumb(command, 'zones', '-l', selector);
      expect([command, code, out]).toEqual([command, expect.toSatisfy((n) => n !== 0), '']);
      expect(err).toMatch(/-l: (unable to parse requirement|found ')/);
    }
    expect(await going()).toEqual([]);
  },
);

test.each([
  [['zones', '-l', '']],
  [['zones', '-l', ' ']],
  [['zones', 'a1', '-l', 'app=a2']],
  [['zone/a1', '-l', 'app=a2']],
  [['-l', 'app=a1']],
  [['-f', '-', '-l', 'app=a1']],
])('plumb delete %j deletes nothing', async (args) => {
  const { code, err } = await plumb('delete', ...args, '--no-wait');
  expect([code === 0, err]).toEqual([false, expect.stringMatching(/-l/)]);
  expect(await going()).toEqual([]);
});

test.each([[['zones', 'a1', '-l', 'app=a2']], [['zone/a1', '-l', 'app=a2']], [['-f', '-', '-l', 'app=a1']]])(
  'plumb get %j does not leave the selector unheard',
  async (args) => {
    expect((await plumb('get', ...args)).err).toMatch(/-l/);
  },
);

test('numbers are compared as numbers, and what is selected is what is shown', async () => {
  expect((await plumb('get', 'zones', '-o', 'name', '-l', 'n > 6')).out).toBe('zone/a2\n');
  expect((await plumb('get', 'zones', '-o', 'name', '-l', '!app')).out).toBe('zone/none\n');
});

test('plumb delete takes what is selected, and that alone', async () => {
  expect(await plumb('delete', 'zones', '-l', 'app=nothing')).toMatchObject({ code: 0, err: 'nothing found\n' });
  expect(await going()).toEqual([]);
  expect((await plumb('delete', 'zones', '-l', 'app in (a2)', '--no-wait')).code).toBe(0);
  expect(await going()).toEqual(['a2']);
});
