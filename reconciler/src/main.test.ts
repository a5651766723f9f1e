import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import http2 from 'node:http2';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { clientFor, findAccess } from '@plumb/client/access.ts';
import { type PlumbError, realAmbient } from '@plumb/schemas';
import { AGENT_SERVER_NAME } from '@plumb/schemas/wire/join-token.ts';
import { expect, onTestFinished, test } from 'vitest';
import { serve } from './main.ts';
import { keys } from './store/keys.ts';
import { SqliteStore } from './store/sqlite.ts';

const ZONES = '/apis/plumb.dev/v1/zones';

/** A data folder whose store takes hundreds of turns to load: a request takes about ten. */
async function filledFolder(): Promise<string> {
  const dataDir = mkdtempSync(join(tmpdir(), 'plumb-serve-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const store = SqliteStore.open(join(dataDir, 'store'));
  const batches = Array.from({ length: 800 }, (_, batch) =>
    Array.from({ length: 100 }, (_, i) => {
      const mac = [2, 0, 0, batch >> 8, batch & 255, i].map((byte) => byte.toString(16).padStart(2, '0'));
      return { type: 'put', key: keys.mac(mac.join(':')), value: crypto.randomUUID() } as const;
    }),
  );
  await Promise.all(batches.map((ops) => store.commit({ preconditions: [], ops })));
  await store.close();
  return dataDir;
}

test('while it loads everything can be read and written, and what needs all of it says so', async () => {
  const failed: PlumbError[] = [];
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  let isReady = false;
  const plane = await serve({
    ...{ dataDir: await filledFolder(), listen: { host: '127.0.0.1', port: 0 }, log: () => {} },
    onFatal: (error) => failed.push(error),
    onReady() {
      isReady = true;
      onReady();
    },
  });
  onTestFinished(() => plane.close());
  const access = await findAccess(plane.kubeconfigFile, {});
  const client = clientFor(access, realAmbient());
  onTestFinished(() => client.close());
  // An agent: its connection is taken at once, and answered when what it tells can be understood.
  const agent = http2.connect(plane.url, { ca: access.ca!, servername: AGENT_SERVER_NAME });
  onTestFinished(() => agent.destroy());
  const greeted = once(agent, 'remoteSettings').then(() => isReady);
  const zone = { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: { name: 'home' }, spec: {} };
  const plan = () => client.ask('POST', '/apis/plumb.dev/v1/planreviews', { body: { spec: { objects: [] } } });

  const answers = await Promise.all([
    client.ask('POST', ZONES, { body: zone }),
    client.ask('POST', ZONES, { body: { ...zone, spec: { of: 'no such field' } } }),
    client.ask('GET', '/api/v1/namespaces/default'),
    client.ask('GET', '/readyz'),
    plan(),
  ]);
  expect(isReady).toBe(false);
  expect(answers.map(({ status }) => status)).toEqual([201, 400, 200, 503, 503]);
  expect(answers.at(-1)!.body).toMatchObject({ reason: 'Loading' });

  await ready;
  expect(await greeted).toBe(true);
  expect((await client.ask('GET', '/readyz')).status).toBe(200);
  expect((await plan()).status).toBe(201);
  const watched = client.watch(`${ZONES}?watch=1&fieldSelector=metadata.name%3Dhome`, AbortSignal.timeout(60_000));
  for await (const { object } of watched) if (object.status?.conditions?.[0]?.status === 'True') break;
  expect((await client.send('GET', `${ZONES}/home`)).status.conditions[0]).toMatchObject({
    type: 'Ready',
    status: 'True',
  });
  expect(failed).toEqual([]);
});

test('a server that has ended leaves no timer behind, for which its process would wait', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plumb-serve-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const real = realAmbient();
  /** Timers that are set, with the place that set each. */
  const timers = new Map<symbol, string>();
  const after = (ms: number, run: () => void) => {
    const timer = Symbol();
    timers.set(timer, `${ms} ms, ${new Error().stack}`);
    const clear = real.clock.after(ms, () => {
      timers.delete(timer);
      run();
    });
    return () => {
      timers.delete(timer);
      clear();
    };
  };
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const ambient = { ...real, clock: { now: real.clock.now, after } };
  const told = { log: () => {}, onFatal: () => {}, onReady };
  const plane = await serve({ dataDir, listen: { host: '127.0.0.1', port: 0 }, ambient, ...told });
  await ready;
  expect(timers.size).toBeGreaterThan(0);
  await plane.close();
  expect([...timers.values()]).toEqual([]);
});

test('a server that ends while it loads is no failure, and gives its data folder free', async () => {
  const dataDir = await filledFolder();
  const said: unknown[] = [];
  const listen = { host: '127.0.0.1', port: 0 };
  const told = { log: () => {}, onFatal: (error: unknown) => said.push(error), onReady: () => said.push('ready') };
  const plane = await serve({ dataDir, listen, ...told });
  await plane.close();
  expect(said).toEqual([]);
  await SqliteStore.open(join(dataDir, 'store')).close();
});

test('a server that cannot listen says so, and holds neither its data folder nor its process', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plumb-serve-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const other = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void other.close());
  await once(other, 'listening');
  const { port } = other.address() as AddressInfo;
  const options = { dataDir, log: () => {}, onFatal: () => {} };

  await expect(serve({ ...options, listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
    reason: 'CannotListen',
    retry: 'terminal',
    message: `cannot listen on 127.0.0.1:${port}: another program listens there; choose another with --listen`,
  });

  const plane = await serve({ ...options, listen: { host: '127.0.0.1', port: 0 } });
  await plane.close();
});

test('a deletion that is to wait for nobody is refused, and marks nothing, while something that stays refers to the object', async () => {
  const dataDir = mkdtempSync(join(tmpdir(), 'plumb-serve-'));
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  const { promise: ready, resolve: onReady } = Promise.withResolvers<void>();
  const plane = await serve({
    dataDir,
    listen: { host: '127.0.0.1', port: 0 },
    log: () => {},
    onFatal: () => {},
    onReady,
  });
  onTestFinished(() => plane.close());
  await ready;
  const client = clientFor(await findAccess(plane.kubeconfigFile, {}), realAmbient());
  onTestFinished(() => client.close());
  const make = (kind: string, plural: string, name: string, spec: object) =>
    client.ask('POST', `/apis/plumb.dev/v1/${plural}`, {
      body: { apiVersion: 'plumb.dev/v1', kind, metadata: { name }, spec },
    });
  const end = (path: string, preconditions: object) =>
    client.ask('DELETE', `/apis/plumb.dev/v1/${path}`, {
      body: { apiVersion: 'v1', kind: 'DeleteOptions', preconditions },
    });
  await make('Zone', 'zones', 'home', {});
  for (const name of ['lab', 'other'])
    await make('L2Network', 'l2networks', name, { zone: 'home', type: 'flat', physicalInterface: name });
  const refused = await end('zones/home', { unreferenced: true });
  expect(refused).toMatchObject({ status: 409, body: { reason: 'InUse' } });
  expect(refused.body.message).toContain('still needed by L2Network lab, L2Network other; delete these');
  expect((await client.ask('GET', `${ZONES}/home`)).body.metadata).not.toHaveProperty('deletionTimestamp');
  for (const name of ['lab', 'other'])
    expect((await end(`l2networks/${name}`, { unreferenced: true })).status).toBe(200);
  // They may still be there: what is being deleted, too, keeps nobody from it.
  expect((await end('zones/home', { unreferenced: true })).status).toBe(200);
  expect((await end('zones/home', { unreferenced: 'yes' })).status).toBe(400);
});
