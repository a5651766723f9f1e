/** Lists that are too long to be read in one go. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const ZONES = `${V1}/zones`;
const MANY = 1_234;
const name = (i: number) => `zone-${String(i).padStart(4, '0')}`;
const all = Array.from({ length: MANY }, (_, i) => name(i));
const odd = all.filter((_, i) => i % 2 === 1);

interface Named {
  metadata: { name: string };
}

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
  for (let i = 0; i < MANY; i += 50)
    await Promise.all(
      all.slice(i, i + 50).map((zone, j) => {
        const labels = { odd: String((i + j) % 2 === 1), last: String(i + j === MANY - 1) };
        return api.ask('POST', ZONES, { body: manifests.zone(zone, { labels }) });
      }),
    );
});
afterAll(() => api.stop());

async function list(query: string, headers: Record<string, string> = {}) {
  const { status, body } = await api.ask('GET', `${ZONES}?${query}`, { headers });
  expect(status).toBe(200);
  return body as { items: Named[]; kind: string; metadata: { resourceVersion: string; continue?: string } };
}

describe('a long list', () => {
  test('is whole, in order, at one revision', async () => {
    const body = await list('');
    expect(body).toMatchObject({ kind: 'ZoneList', apiVersion: 'plumb.dev/v1' });
    expect(body.items.map(({ metadata }) => metadata.name)).toEqual(all);
    expect(body.metadata).toEqual({ resourceVersion: String(api.store.revision()), continue: '' });
    const { body: single } = await api.ask('GET', `${ZONES}/${name(700)}`);
    expect(body.items[700]).toEqual(single);
  });

  test('selected from, also where parts hold nothing', async () => {
    expect((await list('labelSelector=odd%3Dtrue')).items.map(({ metadata }) => metadata.name)).toEqual(odd);
    expect((await list('labelSelector=last%3Dtrue')).items.map(({ metadata }) => metadata.name)).toEqual(all.slice(-1));
    expect((await list('labelSelector=last%3Dnever')).items).toEqual([]);
  });

  test.each([
    ['', all],
    ['labelSelector=odd%3Dtrue', odd],
  ])('in long pages: %s', async (selector, expected) => {
    const first = await list(`limit=600&${selector}`);
    expect(first.items).toHaveLength(600);
    const seen = [...first.items];
    for (let token = first.metadata.continue; token; ) {
      const next = await list(`limit=600&${selector}&continue=${token}`);
      expect(next.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      seen.push(...next.items);
      token = next.metadata.continue;
    }
    expect(seen.map(({ metadata }) => metadata.name)).toEqual(expected);
  });

  test('as a table, and as metadata alone', async () => {
    const form = (as: string) => ({ accept: `application/json;as=${as};v=v1;g=meta.k8s.io` });
    const table = (await list('', form('Table'))) as unknown as { rows: { cells: unknown[] }[]; columnDefinitions: [] };
    expect(table.rows.map(({ cells }) => cells[0])).toEqual(all);
    expect(table).toMatchObject({ kind: 'Table', columnDefinitions: expect.arrayContaining([expect.anything()]) });
    const metadata = await list('', form('PartialObjectMetadataList'));
    expect(metadata.items.map(({ metadata: { name } }) => name)).toEqual(all);
    expect(metadata.kind).toBe('PartialObjectMetadataList');
  });

  test('begins a watch that goes on where it ended', async () => {
    const watch = api.watch(
      `${ZONES}?watch=true&sendInitialEvents=true&resourceVersionMatch=NotOlderThan&allowWatchBookmarks=true`,
    );
    const seen: string[] = [];
    for (let line = await watch.next(); line?.type === 'ADDED'; line = await watch.next())
      seen.push(line.object.metadata.name);
    expect(seen).toEqual(all);
    await api.ask('POST', ZONES, { body: manifests.zone('after') });
    expect((await watch.next())?.object.metadata.name).toBe('after');
    watch.end();
  });
});
