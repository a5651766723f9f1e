import { afterAll, beforeAll, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from '../testing/rig.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';

test('events are read in both groups, the same ones under the names of each', async () => {
  const { body: object } = await api.ask('POST', `${V1}/zones`, { body: manifests.zone('home') });
  const watch = api.watch(`${EVENTS}?watch=true`);
  await watch.status;
  api.events.record({ object, type: 'Warning', reason: 'Drift', message: 'something is gone' });
  const [event] = (await api.ask('GET', EVENTS)).body.items;
  expect(event).toMatchObject({
    regarding: { kind: 'Zone', name: 'home', uid: object.metadata.uid },
    ...{
      reason: 'Drift',
      note: 'something is gone',
      type: 'Warning',
      deprecatedCount: 1,
      reportingController: 'plumb',
    },
  });
  expect(event.apiVersion).toBe('events.k8s.io/v1');
  const [core] = (await api.ask('GET', '/api/v1/namespaces/default/events')).body.items;
  expect(core.metadata).toEqual(event.metadata);
  expect(core.message).toBe(event.note);
  expect((await api.ask('GET', `${EVENTS}/${event.metadata.name}`)).body).toEqual(event);
  expect((await watch.next())!).toEqual({ type: 'ADDED', object: event });
  watch.end();
  const select = async (selector: string) =>
    (await api.ask('GET', `${EVENTS}?fieldSelector=${encodeURIComponent(selector)}`)).body.items?.length;
  expect(await select('regarding.kind=Zone')).toBe(1);
  expect(await select('regarding.kind=Host')).toBe(0);
  const table = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
  const { rows } = (await api.ask('GET', EVENTS, { headers: table })).body;
  expect(rows[0].cells.slice(1, 5)).toEqual(['Warning', 'Drift', 'zone/home', 'something is gone']);
  expect((await api.ask('POST', EVENTS, { body: {} })).status).toBe(405);
});
