/** Bounds of the limits file on what the API waits for and keeps: what is set there is what counts. */
import { PassThrough } from 'node:stream';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../runtime/fake-clock.ts';
import { ApiRequest } from './request.ts';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

async function started(changed: Partial<ServerLimits>): Promise<ApiRig> {
  const limits = { ...defaultServerLimits, ...changed };
  const api: ApiRig = await startApiRig({
    limits,
  });
  onTestFinished(() => api.stop());
  return api;
}

test('a watch whose client names no time ends by watchSeconds', async () => {
  const api = await started({ watchSeconds: 10 });
  const watch = api.watch(`${V1}/zones?watch=true&resourceVersion=0`);
  expect(await watch.status).toBe(200);
  await api.clock.advance(9_000);
  await api.ask('POST', `${V1}/zones`, { body: manifests.zone('a') });
  expect((await watch.next())?.type).toBe('ADDED');
  await api.clock.advance(20_000);
  expect(await watch.next()).toBeUndefined();
});

test('a body that is not here by bodySeconds is given up', async () => {
  const clock = new FakeClock();
  const incoming = Object.assign(new PassThrough(), { method: 'POST', url: '/', headers: {} });
  const request = new ApiRequest(incoming, new AbortController().signal, { source: { address: 'a' }, clock });
  request.limits = { ...defaultServerLimits, bodySeconds: 2 };
  incoming.write('{');
  const body = request.bytes();
  const refused = expect(body).rejects.toThrow('the body did not come in time');
  await clock.advance(1_999);
  expect(incoming.destroyed).toBe(false);
  await clock.advance(1);
  await refused;
});

test('watches, and requests that wait, are as many as the file says', async () => {
  const api = await started({ watches: 4 });
  const watches = Array.from({ length: 6 }, () => api.watch(`${V1}/zones?watch=true`));
  const statuses = await Promise.all(watches.map(({ status }) => status));
  for (const watch of watches) watch.end();
  expect(statuses.filter((status) => status === 200).length).toBeLessThan(4);
  expect(statuses).toContain(429);
});
