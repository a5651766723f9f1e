import http2 from 'node:http2';
import { afterEach, describe, expect, test } from 'vitest';
import { eventually, limits, start, stopLast } from './testing/loaded.ts';
import { type ApiRig, manifests, V1 } from './testing/rig.ts';

const ZONES = `${V1}/zones`;

afterEach(stopLast);

describe('clients that do not take what they asked for', () => {
  /** Its description is long, so that few answers fill the window of a client. */
  const large = (name: string) => ({ ...manifests.zone(name), metadata: { name, annotations: annotations(20) } });
  const annotations = (many: number) => ({ text: 'x'.repeat(many * 1024) });

  /** A client that says how much it takes, and takes no more. */
  function narrow(api: ApiRig, path: string, initialWindowSize: number) {
    const session = http2.connect(api.url, { ca: api.pki.authority, settings: { initialWindowSize } });
    session.on('error', () => {});
    const get = () => {
      const stream = session.request({ ':path': path, authorization: `Bearer ${api.token}` });
      stream.on('error', () => {});
      return stream;
    };
    return { session, get };
  }

  test('a watcher that takes nothing is cut off; others see everything', async () => {
    const api = await start();
    const { session, get } = narrow(api, `${ZONES}?watch=true&resourceVersion=1`, 1024);
    const slow = get();
    await new Promise((resolve) => slow.on('response', resolve));
    const good = api.watch(`${ZONES}?watch=true&resourceVersion=1`);
    await good.status;
    expect(await api.metric('plumb_api_inflight{level="watches"}')).toBe(2);
    for (let i = 0; i < 20; i++) expect((await api.ask('POST', ZONES, { body: large(`zone-${i}`) })).status).toBe(201);
    for (let i = 0; i < 20; i++) expect((await good.next())?.object.metadata.name).toBe(`zone-${i}`);
    await api.clock.advance(31_000);
    await eventually(() => api.metric('plumb_api_inflight{level="watches"}')).toBe(1);
    expect(await api.metric('plumb_api_cut_off_total{why="stalled"}')).toBe(1);
    good.end();
    session.destroy();
  });

  test('a connection is cut off when too many answers lie for it', async () => {
    const api = await start();
    await api.ask('POST', ZONES, {
      body: { ...large('zone'), metadata: { name: 'zone', annotations: annotations(60) } },
    });
    const { session, get } = narrow(api, `${ZONES}/zone`, 1024);
    const closed = new Promise((resolve) => session.on('close', resolve));
    for (let i = 0; i < 150; i++) get();
    await closed;
    expect(await api.metric('plumb_api_cut_off_total{why="unsent"}')).toBe(1);
    await eventually(() => api.metric('plumb_api_unsent_bytes')).toBe(0);
    expect((await api.ask('GET', `${ZONES}/zone`)).status).toBe(200);
  });

  test('a long list keeps its seats until it is taken', async () => {
    const api = await start({ limits: limits({ listRequests: 1, listRequestsWaiting: 10, requestWaitSeconds: 60 }) });
    for (let i = 0; i < 5; i++) await api.ask('POST', ZONES, { body: large(`zone-${i}`) });
    const { session, get } = narrow(api, ZONES, 1024);
    const slow = get();
    await new Promise((resolve) => slow.on('response', resolve));
    const next = api.ask('GET', ZONES);
    await eventually(() => api.metric('plumb_api_queued{level="lists"}')).toBe(1);
    await api.clock.advance(31_000);
    expect((await next).body.items).toHaveLength(5);
    session.destroy();
  });
});
