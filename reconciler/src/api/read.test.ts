import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1, type WatchLine } from './testing/rig.ts';

const ZONES = `${V1}/zones`;
const MERGE = { 'content-type': 'application/merge-patch+json' };
const TABLE = { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' };

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
  for (const [name, tier] of [
    ['a', 'web'],
    ['b', 'db'],
    ['c', 'web'],
    ['d', 'db'],
    ['e', 'web'],
  ] as const) {
    await api.ask('POST', ZONES, { body: manifests.zone(name, { labels: { tier } }) });
  }
  await api.ask('POST', `${V1}/namespaces/default/instances`, { body: manifests.instance('a') });
});
afterAll(() => api.stop());

const names = (body: { items: { metadata: { name: string } }[] }) => body.items.map((i) => i.metadata.name).join('');

describe('list', () => {
  test('all of one kind, with the revision that was read', async () => {
    const { body } = await api.ask('GET', ZONES);
    expect(body).toMatchObject({ kind: 'ZoneList', apiVersion: 'plumb.dev/v1' });
    expect(body.metadata.resourceVersion).toBe(String(api.store.revision()));
    expect(names(body)).toBe('abcde');
    expect(body.items[0]).toEqual((await api.ask('GET', `${ZONES}/a`)).body);
  });

  test.each([
    ['labelSelector=tier%3Dweb', 'ace'],
    ['labelSelector=tier%20notin%20(web)', 'bd'],
    ['fieldSelector=metadata.name%3Db', 'b'],
    ['fieldSelector=metadata.name!%3Db', 'acde'],
    ['fieldSelector=metadata.name%3Db&labelSelector=tier%3Dweb', ''],
    ['fieldSelector=metadata.name%3Dnone', ''],
  ])('%s', async (query, found) => {
    expect(names((await api.ask('GET', `${ZONES}?${query}`)).body)).toBe(found);
  });

  test('a name is not a prefix', async () => {
    await api.ask('POST', ZONES, { body: manifests.zone('ab') });
    expect(names((await api.ask('GET', `${ZONES}?fieldSelector=metadata.name%3Da`)).body)).toBe('a');
    await api.ask('DELETE', `${ZONES}/ab`);
    await api.ask('PATCH', `${ZONES}/ab`, { headers: MERGE, body: { metadata: { finalizers: null } } });
  });

  test('across namespaces, by name and by namespace', async () => {
    await api.ask('POST', '/api/v1/namespaces', { body: { metadata: { name: 'other' } } });
    await api.ask('POST', `${V1}/namespaces/other/instances`, { body: manifests.instance('a') });
    await api.ask('POST', `${V1}/namespaces/other/instances`, { body: manifests.instance('b') });
    expect(names((await api.ask('GET', `${V1}/instances`)).body)).toBe('aab');
    expect(names((await api.ask('GET', `${V1}/instances?fieldSelector=metadata.name%3Da`)).body)).toBe('aa');
    expect(names((await api.ask('GET', `${V1}/instances?fieldSelector=metadata.namespace%3Dother`)).body)).toBe('ab');
    expect(names((await api.ask('GET', `${V1}/namespaces/other/instances`)).body)).toBe('ab');
  });

  test.each([
    ['', 'abcde'],
    ['&labelSelector=tier%3Dweb', 'ace'],
  ])('pages of one revision, whatever happens meanwhile %s', async (selector, all) => {
    let found = '';
    let query = `?limit=2${selector}`;
    let revision: string | undefined;
    for (let page = 0; page < 5; page++) {
      const { body } = await api.ask('GET', ZONES + query);
      expect(body.items.length).toBeLessThanOrEqual(2);
      revision ??= body.metadata.resourceVersion;
      expect(body.metadata.resourceVersion).toBe(revision);
      found += names(body);
      if (page === 0) {
        await api.ask('PATCH', `${ZONES}/e`, { headers: MERGE, body: { metadata: { annotations: { n: selector } } } });
        await api.ask('POST', ZONES, { body: manifests.zone(`z${selector.length}`, { labels: { tier: 'web' } }) });
      }
      if (!body.metadata.continue) break;
      query = `?limit=2${selector}&continue=${body.metadata.continue}`;
    }
    expect(found).toBe(all);
    for (const name of [`z${selector.length}`]) {
      await api.ask('DELETE', `${ZONES}/${name}`);
      await api.ask('PATCH', `${ZONES}/${name}`, { headers: MERGE, body: { metadata: { finalizers: null } } });
    }
  });

  test('the last page has no token, also when it is full', async () => {
    const { body } = await api.ask('GET', `${ZONES}?limit=5`);
    expect(names(body)).toBe('abcde');
    expect(body.metadata.continue).toBe('');
  });

  test('Exact reads an older revision, NotOlderThan the newest, and a revision of the future is refused', async () => {
    const before = api.store.revision();
    await api.ask('PATCH', `${ZONES}/a`, { headers: MERGE, body: { spec: { description: 'new' } } });
    const read = async (match: string, revision: number) =>
      api.ask('GET', `${ZONES}?resourceVersion=${revision}&resourceVersionMatch=${match}`);
    expect((await read('Exact', before)).body.items[0].spec.description).toBeUndefined();
    expect((await read('NotOlderThan', before)).body.items[0].spec.description).toBe('new');
    expect((await read('NotOlderThan', 99_999)).status).toBe(504);
    expect((await read('Sometimes', before)).status).toBe(422);
  });

  test('a page whose revision was compacted is 410 Expired', async () => {
    const { body } = await api.ask('GET', `${ZONES}?limit=1`);
    await api.ask('PATCH', `${ZONES}/a`, { headers: MERGE, body: { spec: { description: 'newer' } } });
    await api.store.compact(api.store.revision());
    const late = await api.ask('GET', `${ZONES}?limit=1&continue=${body.metadata.continue}`);
    expect(late.status).toBe(410);
    expect(late.body.reason).toBe('Expired');
    expect((await api.ask('GET', `${V1}/hosts?limit=1&continue=${body.metadata.continue}`)).status).toBe(410);
  });

  test.each([
    'limit=x',
    'resourceVersion=abc',
    'labelSelector=%3D',
    'fieldSelector=spec.zone%3Dx',
    'fieldSelector=nonsense',
  ])('%s is 400', async (query) => {
    expect((await api.ask('GET', `${ZONES}?${query}`)).status).toBe(400);
  });
});

describe('forms', () => {
  test('a table, for lists and single objects', async () => {
    const { body } = await api.ask('GET', ZONES, { headers: TABLE });
    expect(body).toMatchObject({ kind: 'Table', apiVersion: 'meta.k8s.io/v1' });
    expect(body.columnDefinitions.map((c: { name: string }) => c.name)).toEqual(['Name', 'Ready', 'Age']);
    expect(body.rows[0].cells).toEqual(['a', '<none>', '0s']);
    expect(body.rows[0].object).toMatchObject({ kind: 'PartialObjectMetadata', metadata: { name: 'a' } });
    const one = await api.ask('GET', `${ZONES}/a?includeObject=Object`, { headers: TABLE });
    expect(one.body.rows[0].object.kind).toBe('Zone');
    const none = await api.ask('GET', `${ZONES}/a?includeObject=None`, { headers: TABLE });
    expect(none.body.rows[0].object).toBeNull();
  });

  test('metadata alone', async () => {
    const accept = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';
    const { body } = await api.ask('GET', ZONES, { headers: { accept } });
    expect(body.kind).toBe('PartialObjectMetadataList');
    expect(Object.keys(body.items[0])).toEqual(['kind', 'apiVersion', 'metadata']);
  });

  test.each([
    ['application/vnd.kubernetes.protobuf,application/json', 200],
    ['*/*', 200],
    ['application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json', 200],
    ['application/vnd.kubernetes.protobuf', 406],
    ['text/html', 406],
  ])('Accept: %s is %i', async (accept, status) => {
    expect((await api.ask('GET', ZONES, { headers: { accept } })).status).toBe(status);
  });
});

describe('watch', () => {
  const patch = (name: string, body: object) => api.ask('PATCH', `${ZONES}/${name}`, { headers: MERGE, body });
  const shown = (line: WatchLine | undefined) => `${line?.type} ${line?.object.metadata.name}`;

  test('from a revision: every change after it, in order', async () => {
    const from = api.store.revision();
    const first = await patch('a', { spec: { description: '1' } });
    const watch = api.watch(`${ZONES}?watch=true&resourceVersion=${from}`);
    expect(await watch.next()).toEqual({ type: 'MODIFIED', object: first.body });
    await api.ask('POST', ZONES, { body: manifests.zone('w') });
    expect(shown(await watch.next())).toBe('ADDED w');
    await api.ask('DELETE', `${ZONES}/w`);
    expect(shown(await watch.next())).toBe('MODIFIED w');
    await patch('w', { metadata: { finalizers: null } });
    const deleted = await watch.next();
    expect(shown(deleted)).toBe('DELETED w');
    expect(deleted!.object.metadata.resourceVersion).toBe(String(api.store.revision()));
    watch.end();
  });

  test('without a revision: what is there, then what comes', async () => {
    const watch = api.watch(`${ZONES}?watch=true`);
    const seen = [];
    for (let i = 0; i < 5; i++) seen.push(shown(await watch.next()));
    expect(seen).toEqual(['ADDED a', 'ADDED b', 'ADDED c', 'ADDED d', 'ADDED e']);
    await patch('b', { spec: { description: '2' } });
    expect(shown(await watch.next())).toBe('MODIFIED b');
    watch.end();
  });

  test('sendInitialEvents closes what is there with a bookmark', async () => {
    const watch = api.watch(
      `${ZONES}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    for (let i = 0; i < 5; i++) expect((await watch.next())?.type).toBe('ADDED');
    const bookmark = await watch.next();
    expect(bookmark?.type).toBe('BOOKMARK');
    expect(bookmark?.object).toMatchObject({
      kind: 'Zone',
      metadata: {
        resourceVersion: String(api.store.revision()),
        annotations: { 'k8s.io/initial-events-end': 'true' },
      },
    });
    watch.end();
    expect((await api.ask('GET', `${ZONES}?watch=true&sendInitialEvents=true`)).status).toBe(422);
  });

  test('an object that begins to match is ADDED, one that ceases to is DELETED', async () => {
    const watch = api.watch(`${ZONES}?watch=true&labelSelector=tier%3Dweb&resourceVersion=${api.store.revision()}`);
    await watch.status;
    await patch('b', { metadata: { labels: { tier: 'web' } } });
    await patch('b', { spec: { description: '3' } });
    await patch('d', { spec: { description: 'not selected' } });
    await patch('b', { metadata: { labels: { tier: 'db' } } });
    const lines = [await watch.next(), await watch.next(), await watch.next()];
    expect(lines.map(shown)).toEqual(['ADDED b', 'MODIFIED b', 'DELETED b']);
    expect(lines[2]!.object.metadata.labels.tier).toBe('web');
    watch.end();
  });

  test('one name', async () => {
    const watch = api.watch(
      `${ZONES}?watch=true&fieldSelector=metadata.name%3Dc&resourceVersion=${api.store.revision()}`,
    );
    await watch.status;
    await patch('a', { spec: { description: '4' } });
    await patch('c', { spec: { description: '4' } });
    expect(shown(await watch.next())).toBe('MODIFIED c');
    watch.end();
  });

  test('bookmarks carry a revision that is never ahead of what was delivered', async () => {
    const from = api.store.revision();
    const watch = api.watch(`${ZONES}?watch=true&allowWatchBookmarks=true&resourceVersion=${from}`);
    await watch.status;
    // A change elsewhere moves the revision, and this watch sees nothing of it but the bookmark.
    await api.ask('POST', `${V1}/instanceofferings`, { body: manifests.offering('elsewhere') });
    await api.clock.advance(61_000);
    expect(await watch.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(from) } },
    });
    await api.clock.advance(61_000);
    expect(await watch.next()).toMatchObject({
      type: 'BOOKMARK',
      object: { metadata: { resourceVersion: String(from + 1) } },
    });
    watch.end();
  });

  test('a compacted revision is an ERROR line with 410, and so is one that was never reached', async () => {
    await patch('a', { spec: { description: '5' } });
    await api.store.compact(api.store.revision());
    for (const revision of [1, 99_999]) {
      const watch = api.watch(`${ZONES}?watch=true&resourceVersion=${revision}`);
      expect(await watch.next()).toMatchObject({
        type: 'ERROR',
        object: { kind: 'Status', code: 410, reason: 'Expired' },
      });
      expect(await watch.next()).toBeUndefined();
    }
  });

  test('ends at its time limit', async () => {
    const watch = api.watch(`${ZONES}?watch=true&timeoutSeconds=5&resourceVersion=${api.store.revision()}`);
    expect(await watch.status).toBe(200);
    await api.clock.advance(6_000);
    expect(await watch.next()).toBeUndefined();
  });

  test('as a table', async () => {
    const watch = api.watch(`${ZONES}?watch=true&resourceVersion=${api.store.revision()}`, TABLE);
    await watch.status;
    await patch('a', { spec: { description: '6' } });
    const line = await watch.next();
    expect(line).toMatchObject({ type: 'MODIFIED', object: { kind: 'Table' } });
    expect(line!.object.rows[0].cells[0]).toBe('a');
    watch.end();
  });

  test('a client that goes away leaves no timer behind', async () => {
    await api.clock.advance(300_000);
    const timers = api.clock.timers;
    const watch = api.watch(`${ZONES}?watch=true&allowWatchBookmarks=true&resourceVersion=${api.store.revision()}`);
    await watch.status;
    await expect.poll(() => api.clock.timers).toBeGreaterThan(timers);
    watch.end();
    await expect.poll(() => api.clock.timers).toBe(timers);
  });
});
