import { encodeObject } from '@plumb/schemas/protobuf/envelope.ts';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from '../testing/rig.ts';

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

const CORE = '/api/v1/namespaces/default/events';
const EVENTS = '/apis/events.k8s.io/v1/namespaces/default/events';
const MERGE = { 'content-type': 'application/merge-patch+json' };

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
  const [core] = (await api.ask('GET', CORE)).body.items;
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
  expect(rows[0].cells.slice(1, 4)).toEqual(['Warning', 'Drift', 'zone/home']);
  expect(rows[0].cells[6]).toBe('something is gone');
});

const posted = (name: string) => ({
  ...{ apiVersion: 'v1', kind: 'Event', metadata: { name, namespace: 'default' } },
  involvedObject: { kind: 'Instance', namespace: 'default', name: 'web-0', apiVersion: 'plumb.dev/v1' },
  ...{ reason: 'Backup', message: 'it was saved', type: 'Normal', count: 1 },
  source: { component: 'backup' },
  firstTimestamp: '2026-01-01T00:00:00Z',
  lastTimestamp: '2026-01-01T00:00:00Z',
});

test('clients post events to core/v1, count them up, and read them in the other group', async () => {
  const made = await api.ask('POST', CORE, { body: posted('web-0.1') });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    message: 'it was saved',
    eventTime: null,
    reportingComponent: '',
    source: { component: 'backup' },
  });
  expect((await api.ask('POST', CORE, { body: posted('web-0.1') })).status).toBe(409);
  const watch = api.watch(`${EVENTS}?watch=true&fieldSelector=metadata.name%3Dweb-0.1`);
  await watch.status;
  expect((await watch.next())!.object.note).toBe('it was saved');
  // As client-go's recorder counts.
  const counted = await api.ask('PATCH', `${CORE}/web-0.1`, {
    headers: { 'content-type': 'application/strategic-merge-patch+json' },
    body: { count: 2, lastTimestamp: '2026-01-01T00:01:00Z' },
  });
  expect([counted.status, counted.body.count, counted.body.metadata.uid]).toEqual([200, 2, made.body.metadata.uid]);
  expect((await watch.next())!).toMatchObject({ type: 'MODIFIED', object: { deprecatedCount: 2 } });
  const other = await api.ask('GET', `${EVENTS}/web-0.1`);
  expect(other.body).toMatchObject({ deprecatedLastTimestamp: '2026-01-01T00:01:00Z', regarding: { name: 'web-0' } });
  const put = await api.ask('PUT', `${CORE}/web-0.1`, { body: { ...counted.body, count: 3 } });
  expect([put.status, put.body.count]).toEqual([200, 3]);
  expect((await api.ask('DELETE', `${EVENTS}/web-0.1`)).status).toBe(200);
  expect([(await watch.next())!.type, (await watch.next())!.type]).toEqual(['MODIFIED', 'DELETED']);
  watch.end();
  expect((await api.ask('GET', `${CORE}/web-0.1`)).status).toBe(404);
});

const strict = (name: string) => ({
  ...{ metadata: { name, namespace: 'default' }, eventTime: '2026-01-01T00:00:00.5Z' },
  regarding: { kind: 'Instance', namespace: 'default', name: 'web-0' },
  ...{ reason: 'Backup', note: 'it was saved', type: 'Normal', action: 'Save' },
  ...{ reportingController: 'example.com/backup', reportingInstance: 'backup-0' },
});

test('clients post events to events.k8s.io/v1, by its rules, and read them in core/v1', async () => {
  const made = await api.ask('POST', EVENTS, { body: strict('new.1') });
  expect([made.status, made.body.eventTime]).toEqual([201, '2026-01-01T00:00:00.500000Z']);
  const core = (await api.ask('GET', `${CORE}/new.1`)).body;
  expect(core).toMatchObject({ message: 'it was saved', reportingComponent: 'example.com/backup' });
  const series = { count: 2, lastObservedTime: '2026-01-01T00:02:00.000000Z' };
  const again = await api.ask('PATCH', `${EVENTS}/new.1`, { headers: MERGE, body: { series } });
  expect([again.status, again.body.series]).toEqual([200, series]);
  const changed = await api.ask('PATCH', `${EVENTS}/new.1`, { headers: MERGE, body: { note: 'another' } });
  expect([changed.status, changed.body.details.causes[0].field]).toEqual([422, 'message']);
  const { eventTime: _, ...without } = strict('new.2');
  const refused = await api.ask('POST', EVENTS, { body: { ...without, type: 'Odd', deprecatedCount: 1 } });
  expect(refused.body.details.causes.map(({ field }: { field: string }) => field)).toEqual([
    'eventTime',
    'type',
    'count',
  ]);
});

test('an event belongs to the namespace of what it is about, and to one that stays', async () => {
  const about = { ...posted('x'), involvedObject: { kind: 'Instance', namespace: 'other', name: 'web-0' } };
  const refused = await api.ask('POST', CORE, { body: about });
  expect([refused.status, refused.body.details.causes[0].field]).toEqual([422, 'involvedObject.namespace']);
  const nowhere = { ...posted('x'), metadata: { name: 'x' }, involvedObject: { namespace: 'none' } };
  expect((await api.ask('POST', '/api/v1/namespaces/none/events', { body: nowhere })).status).toBe(404);
});

test('clients of Go post events as protobuf, and read them so', async () => {
  const headers = {
    'content-type': 'application/vnd.kubernetes.protobuf',
    accept: 'application/vnd.kubernetes.protobuf',
  };
  const made = await api.ask('POST', CORE, { headers, body: encodeObject(posted('typed'))! });
  expect([made.status, made.headers['content-type']]).toEqual([201, 'application/vnd.kubernetes.protobuf']);
  expect((await api.ask('GET', `${CORE}/typed`)).body).toMatchObject({ message: 'it was saved', count: 1 });
  expect((await api.ask('GET', `${EVENTS}/typed`, { headers: { accept: headers.accept } })).status).toBe(200);
});

test('events are selected and deleted many at once', async () => {
  for (const name of ['m1', 'm2']) await api.ask('POST', CORE, { body: { ...posted(name), reason: 'Many' } });
  const many = await api.ask('DELETE', `${CORE}?fieldSelector=reason%3DMany`);
  expect(many.body.items).toHaveLength(2);
  expect((await api.ask('GET', `${CORE}?fieldSelector=reason%3DMany`)).body.items).toEqual([]);
});

test('events go with their namespace', async () => {
  await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'short' } } });
  const about = { kind: 'Instance', namespace: 'short', name: 'a' };
  const body = { ...posted('s'), metadata: { name: 's' }, involvedObject: about };
  expect((await api.ask('POST', '/api/v1/namespaces/short/events', { body })).status).toBe(201);
  await api.ask('DELETE', '/api/v1/namespaces/short');
  await vi.waitFor(async () =>
    expect((await api.ask('GET', '/api/v1/namespaces/short/events')).body.items).toEqual([]),
  );
});
