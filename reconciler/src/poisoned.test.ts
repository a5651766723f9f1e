/** What cannot be understood, as clients meet it: listed, read, watched, mended, deleted. */

import { runPlumb } from '@plumb/cli/testing/run.ts';
import { realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { type ApiRig, startApiRig, V1 } from './api/testing/rig.ts';
import { at, instanceSpec, makeEstate } from './controllers/testing/estate.ts';
import { type Rig, startRig } from './controllers/testing/rig.ts';
import { poisonedExtensions } from './extensions/poisoned.ts';
import { findCredential, identify } from './fleet/credentials.ts';
import { JoinTokens } from './fleet/join-tokens.ts';
import { nextTerm } from './fleet/term.ts';
import { keys } from './store/keys.ts';
import { MemoryStore } from './store/memory.ts';

let rig: Rig;
let api: ApiRig;

beforeEach(async () => {
  const store = new MemoryStore();
  rig = await startRig({ store });
  api = await startApiRig({
    store,
    wrongs: rig.cache.poisoned,
    extensions: poisonedExtensions(rig.context),
  });
  await makeEstate(rig);
  await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
  await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.12')));
  await rig.ready('Instance', 'web-0');
  await rig.ready('Instance', 'web-1');
});

afterEach(async () => {
  await rig.stop();
  await api.stop();
});

const KEY = keys.object('instances', 'default', 'web-0');
const INSTANCES = `${V1}/namespaces/default/instances`;
const MERGE = { 'content-type': 'application/merge-patch+json' };
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' };
const METADATA = { accept: 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1' };

interface Listed {
  metadata: { name: string };
}

const settle = () => new Promise((resolve) => setImmediate(resolve));

async function poison(wrong: (text: string) => string, key = KEY): Promise<void> {
  const text = (await rig.store.get(key))!.value;
  await rig.store.commit({ preconditions: [], ops: [{ type: 'put', key, value: wrong(text) }] });
  await settle();
}

const cut = (text: string) => text.slice(0, -30);
const noSpec = (text: string) => JSON.stringify({ ...JSON.parse(text), spec: undefined });
const noMetadata = (text: string) => JSON.stringify({ ...JSON.parse(text), metadata: 5 });
const spaced = (text: string) => text.replaceAll('":', '" : ');
const wrongStatus = (text: string) => JSON.stringify({ ...JSON.parse(text), status: { interfaces: [null] } });

describe.each([
  ['cut', cut, /is not JSON/],
  ['without spec', noSpec, /spec is missing/],
  ['without metadata', noMetadata, /metadata is a number, not an object/],
  ['with a status that is none', wrongStatus, /status\.interfaces\[0\] is null/],
])('an object that is stored %s', (_, wrong, what) => {
  it('is shown in every form with what is wrong, and hides nothing else', async () => {
    const watch = api.watch(`${INSTANCES}?watch=1&resourceVersion=${api.store.revision()}`);
    await poison(wrong);
    const { object } = (await watch.next())!;
    watch.end();
    const one = (await api.ask('GET', `${INSTANCES}/web-0`)).body;
    const all = (await api.ask('GET', INSTANCES)).body.items;
    const selected = (await api.ask('GET', `${INSTANCES}?fieldSelector=metadata.name=web-0`)).body.items;
    for (const shown of [object, one, all[0], selected[0]]) {
      expect(shown).toMatchObject({ apiVersion: 'plumb.dev/v1', kind: 'Instance' });
      expect(shown.metadata).toMatchObject({
        name: 'web-0',
        namespace: 'default',
        resourceVersion: expect.any(String),
      });
      const [ready, poisoned, stalled] = shown.status.conditions;
      expect(ready).toMatchObject({ type: 'Ready', status: 'False', reason: 'Poisoned' });
      expect(poisoned).toMatchObject({ type: 'Poisoned', status: 'True', message: expect.stringMatching(what) });
      expect(stalled).toMatchObject({ type: 'Stalled', status: 'True', reason: 'Poisoned' });
    }
    expect(all.map((o: { metadata: { name: string } }) => o.metadata.name)).toEqual(['web-0', 'web-1']);
    expect(all[1].status.conditions.map(({ type }: { type: string }) => type)).not.toContain('Poisoned');
    const rows = (await api.ask('GET', INSTANCES, { headers: TABLE })).body.rows;
    expect(rows.map(({ cells }: { cells: unknown[] }) => [cells[0], cells[4], cells[5]])).toEqual([
      ['web-0', 'False', 'Poisoned'],
      ['web-1', 'True', 'Running'],
    ]);
    expect((await api.ask('GET', INSTANCES, { headers: METADATA })).body.items).toHaveLength(2);
    const listed = await runPlumb(api, ['get', 'poisoned']);
    expect(listed.out).toMatch(/Instance +default\/web-0/i);
    expect(listed.out).toMatch(new RegExp(what.source.split(' ').slice(1).join(' ')));
  });

  it('is mended by a valid object, keeps its guest, and no condition is left', async () => {
    const { uid } = rig.get('Instance', 'web-0')!.metadata;
    await poison(wrong);
    const live = rig.fleet.keysOn('host-1');
    const typed = { apiVersion: 'plumb.dev/v1', kind: 'Instance' };
    const invalid = await api.ask('PUT', `${INSTANCES}/web-0`, {
      body: { ...typed, metadata: { name: 'web-0' }, spec: {} },
    });
    expect(invalid.status).toBe(422);
    const { resourceVersion } = (await api.ask('GET', `${INSTANCES}/web-0`)).body.metadata;
    const body = { ...typed, metadata: { name: 'web-0', resourceVersion }, spec: instanceSpec(at('10.20.0.11')) };
    const mended = await api.ask('PUT', `${INSTANCES}/web-0`, { body });
    expect(mended.status).toBe(200);
    if (wrong === noMetadata) {
      // Its uid is lost: what lives there has no owner any more, and is left alone.
      expect(mended.body.metadata.uid).not.toBe(uid);
      expect(rig.fleet.keysOn('host-1')).toEqual(expect.arrayContaining(live));
      return;
    }
    expect(mended.body.metadata.uid).toBe(uid);
    const ready = await rig.ready('Instance', 'web-0');
    expect(ready.status!.interfaces).toMatchObject([{ addresses: ['10.20.0.11'] }]);
    expect(rig.fleet.keysOn('host-1')).toEqual(live);
    expect(rig.cache.poisoned.objects).toBe(0);
    expect((await api.store.get(KEY))!.value).not.toContain('Poisoned');
  });

  it('is deleted, and what lived for it, as far as its uid is known', async () => {
    const { uid } = rig.get('Instance', 'web-0')!.metadata;
    await poison(wrong);
    expect((await api.ask('DELETE', `${INSTANCES}/web-0?dryRun=All`)).status).toBe(200);
    expect((await api.ask('DELETE', `${INSTANCES}/web-0`)).status).toBe(200);
    while (await api.store.get(KEY)) await settle();
    const left = rig.fleet.keysOn('host-1').filter((key) => key.includes(uid));
    expect(left.length > 0).toBe(wrong === noMetadata);
    expect((await api.ask('GET', INSTANCES)).body.items).toHaveLength(1);
    expect((await api.ask('GET', `${INSTANCES}/web-0`)).status).toBe(404);
  });
});

it('an address whose holder was lost with its record is listed when nothing is left of it, and freed by a person', async () => {
  const { uid } = rig.get('Instance', 'web-0')!.metadata;
  const [address] = (await rig.keys('/alloc/address/')).filter((key) => key.endsWith('10.20.0.11'));
  const listed = async () => (await runPlumb(api, ['get', 'poisoned'])).out;
  const free = () => runPlumb(api, ['delete', 'record', address!]);
  expect((await free()).code).toBe(1);
  await poison(noMetadata);
  await api.ask('DELETE', `${INSTANCES}/web-0`);
  while (await api.store.get(KEY)) await settle();
  expect(await listed(), 'its guest runs on').not.toContain(address);
  for (const key of rig.fleet.keysOn('host-1'))
    if (key.includes(uid)) rig.fleet.take('host-1', rig.fleet.host('host-1')!.resources.get(key)!);
  rig.fleet.disconnect('host-1');
  expect(await listed(), 'a host is away').not.toContain(address);
  expect((await free()).code).toBe(1);
  rig.fleet.connect('host-1');
  expect(await listed()).toContain(address);
  expect((await free()).code).toBe(0);
  expect(await rig.keys('/alloc/address/')).not.toContain(address);
  await rig.create('Instance', 'web-2', instanceSpec(at('10.20.0.11')));
  await rig.ready('Instance', 'web-2');
});

it('an object that is written otherwise than the server would is an object like any other', async () => {
  await poison(spaced);
  for (const { metadata, status } of (await api.ask('GET', INSTANCES)).body.items) {
    expect(metadata.resourceVersion).toMatch(/^\d+$/);
    expect(status.conditions[0]).toMatchObject({ type: 'Ready', status: 'True' });
  }
  const spec = { driftPolicy: 'Report' };
  expect((await api.ask('PATCH', `${INSTANCES}/web-0`, { headers: MERGE, body: { spec } })).status).toBe(200);
});

it('a field that is fixed at creation and was lost is mended; one that is there stays fixed', async () => {
  await poison((text) => text.replace('"zone":"home",', ''));
  const patch = (spec: object) => api.ask('PATCH', `${INSTANCES}/web-0`, { headers: MERGE, body: { spec } });
  expect((await patch({ zone: 'home', rootDiskMiB: 7 })).status).toBe(200);
  expect((await patch({ zone: 'elsewhere' })).status).toBe(422);
  await rig.ready('Instance', 'web-0');
});

it('the status of what nobody understands is not written', async () => {
  await poison(noSpec);
  const answer = await api.ask('PATCH', `${INSTANCES}/web-0/status`, { headers: MERGE, body: { status: { cpus: 1 } } });
  expect(answer.body).toMatchObject({ code: 422, reason: 'Poisoned' });
  expect((await api.store.get(KEY))!.value).not.toContain('"spec"');
});

it('finalizers of others keep what cannot be understood, and can be taken away from it', async () => {
  const finalizers = ['plumb.dev/instance', 'example.com/backup'];
  await poison((text) => {
    const object = JSON.parse(text);
    return JSON.stringify({ ...object, metadata: { ...object.metadata, finalizers }, spec: 7 });
  });
  await api.ask('DELETE', `${INSTANCES}/web-0`);
  const left = async () => (await api.ask('GET', `${INSTANCES}/web-0`)).body.metadata?.finalizers;
  while ((await left())?.length !== 1) await settle();
  expect(rig.fleet.keysOn('host-1').filter((key) => key.startsWith('domain/'))).toHaveLength(1);
  const patch = (metadata: object) => api.ask('PATCH', `${INSTANCES}/web-0`, { headers: MERGE, body: { metadata } });
  expect((await patch({ finalizers: ['example.com/other'] })).status).toBe(422);
  expect((await patch({ finalizers: null })).status).toBe(200);
  while (await api.store.get(KEY)) await settle();
});

it('a namespace that cannot be understood is shown, takes new objects and can be deleted', async () => {
  await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'lab' } } });
  await poison(cut, keys.object('namespaces', undefined, 'lab'));
  const { items } = (await api.ask('GET', '/api/v1/namespaces')).body;
  expect(items.map((o: { metadata: { name: string } }) => o.metadata.name)).toEqual(['default', 'lab']);
  expect((await runPlumb(api, ['get', 'poisoned'])).out).toMatch(/Namespace +lab/i);
  const body = { apiVersion: 'plumb.dev/v1', kind: 'Instance', metadata: { name: 'x' }, spec: instanceSpec() };
  expect((await api.ask('POST', `${V1}/namespaces/lab/instances`, { body })).status).toBe(201);
  expect((await api.ask('DELETE', '/api/v1/namespaces/lab')).status).toBe(200);
  while ((await api.ask('GET', '/api/v1/namespaces/lab')).status !== 404) await settle();
  expect(await api.store.get('/objects/instances/lab/x')).toBeUndefined();
});

it('a condition of that type is stored for nobody, and an object on which a controller fails shows one', async () => {
  const condition = {
    ...{
      type: 'Poisoned',
      status: 'True',
      reason: 'Claimed',
      message: 'x',
      lastTransitionTime: '2026-01-01T00:00:00Z',
    },
  };
  await api.ask('PATCH', `${V1}/zones/home/status`, { headers: MERGE, body: { status: { conditions: [condition] } } });
  expect((await api.store.get(keys.object('zones', undefined, 'home')))!.value).not.toContain('Claimed');
  rig.cache.poisoned.note(KEY, 'the instance controller', new TypeError('x is not iterable'));
  const { status } = (await api.ask('GET', `${INSTANCES}/web-0`)).body;
  expect(status.conditions.map(({ type }: { type: string }) => type).sort()).toEqual(['Poisoned', 'Ready']);
  expect(status.conditions.find(({ type }: { type: string }) => type === 'Poisoned').message).toBe(
    'the instance controller failed on it: TypeError: x is not iterable',
  );
});

it('a record that is no object is listed and can be dropped; an object cannot be dropped like one', async () => {
  const store = new MemoryStore();
  const [kind, mac] = ['/objects/unknowns//x', keys.mac('02:00:00:00:00:01')];
  const zone = (await rig.store.get(keys.object('zones', undefined, 'home')))!;
  const wrong = [kind, mac, keys.flow('lost'), keys.credential('h'), keys.joinToken('t'), keys.changeSet('c')];
  const records = { ...Object.fromEntries(wrong.map((key) => [key, '{"sha256":7}'])), [zone.key]: zone.value };
  const ops = Object.entries(records).map(([key, value]) => ({ type: 'put' as const, key, value }));
  await store.commit({ preconditions: [], ops });
  const own = await startRig({ store });
  onTestFinished(() => own.stop());
  const options = { store, wrongs: own.cache.poisoned, extensions: poisonedExtensions(own.context) };
  const its = await startApiRig(options);
  onTestFinished(() => its.stop());
  const { out } = await runPlumb(its, ['get', 'poisoned']);
  for (const key of wrong) expect(out).toContain(key);
  expect((await runPlumb(its, ['delete', 'record', ...wrong])).code).toBe(0);
  for (const key of wrong) expect(await store.get(key)).toBeUndefined();
  expect((await runPlumb(its, ['delete', 'record', zone.key])).code).toBe(1);
  expect(await store.get(zone.key)).toBeDefined();
  expect((await runPlumb(its, ['get', 'poisoned'])).err).toContain('can be understood');
});

it('a record where no object of its kind can lie is listed, and can be dropped, for no client can name it', async () => {
  const store = new MemoryStore();
  const zone = (await rig.store.get(keys.object('zones', undefined, 'home')))!;
  const wrong = [
    '/objects/zones/x',
    '/objects/zones/a/b',
    '/objects/zones/',
    '/objects/instances//x',
    keys.flow('lost'),
  ];
  const ops = [zone.key, ...wrong].map((key) => ({ type: 'put' as const, key, value: zone.value }));
  await store.commit({ preconditions: [], ops });
  const own = await startRig({ store });
  onTestFinished(() => own.stop());
  const its = await startApiRig({ store, wrongs: own.cache.poisoned, extensions: poisonedExtensions(own.context) });
  onTestFinished(() => its.stop());
  const listed = async () =>
    (await its.ask('GET', `${V1}/poisoned`)).body.items.map((one: Listed) => one.metadata.name);
  expect((await listed()).sort()).toEqual([...wrong].sort());
  for (const key of wrong)
    expect((await its.ask('DELETE', `${V1}/poisoned/${encodeURIComponent(key)}`)).status, key).toBe(200);
  await settle();
  expect(await listed()).toEqual([]);
  expect((await store.list('/objects/zones')).entries).toEqual([expect.objectContaining({ key: zone.key })]);
});

it.each(['', '{', '{"sha256":7}', 'null', '[]'])(
  'a server comes up over records of its own that cannot be read: %j',
  async (value) => {
    const store = new MemoryStore();
    const own = [keys.control('term'), keys.control('token/admin'), keys.control('token/join'), keys.control('x')];
    const others = [keys.credential('host-1'), keys.joinToken('t'), keys.changeSet('c'), keys.deleted('d')];
    const ops = [...own, ...others].map((key) => ({ type: 'put' as const, key, value }));
    await store.commit({ preconditions: [], ops });
    const ambient = realAmbient();
    expect(await nextTerm(store, ambient)).toBeGreaterThan(0);
    const its = await startApiRig({ store });
    onTestFinished(() => its.stop());
    expect((await its.ask('GET', `${V1}/zones`)).status).toBe(200);
    const tokens = new JoinTokens({ store, ambient, limits: defaultServerLimits });
    expect(await tokens.list()).toEqual([]);
    const made = await tokens.create({ admits: { host: 'host-1' }, uses: 1, ttlSeconds: 60, by: 'admin' });
    expect((await tokens.list()).map(({ id }) => id)).toEqual([made.id]);
    await tokens.revoke('t');
    // Whoever had the name before: no agent has it without a person.
    expect((await findCredential(store, 'host-1')).record).toEqual({ removedAt: Number.MAX_SAFE_INTEGER });
    expect(await identify(store, 'host-1', 'anything')).toBeUndefined();
  },
);
