/**
 * Every field of every record that the store holds, taken away and of every wrong type, each in a record of its own, all of them
 * in one store: the control plane comes up over it, what was not touched converges, and each of the others is listed,
 * readable and deletable.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KindDefinition, kinds, type PlumbObject } from '@plumb/schemas';
import { expect, onTestFinished, test } from 'vitest';
import { Dice } from '../../sim/src/core/dice.ts';
import { fromSchema } from '../../sim/src/fuzz/from-schema.ts';
import { type ApiRig, startApiRig, V1 } from './api/testing/rig.ts';
import { at, hostSpec, instanceSpec, makeEstate } from './controllers/testing/estate.ts';
import { type Rig, startRig } from './controllers/testing/rig.ts';
import { poisonedExtensions } from './extensions/poisoned.ts';
import { FakeFleet } from './fleet/testing/fake-fleet.ts';
import { PLAN_VERSION } from './plan/plan.ts';
import { keys } from './store/keys.ts';
import { MemoryStore } from './store/memory.ts';
import { SqliteStore } from './store/sqlite.ts';
import { MAX_BATCH_KEYS, type Store } from './store/store.ts';

const WRONG: readonly unknown[] = [
  null,
  true,
  -1.5,
  1e300,
  'x',
  [null],
  {},
  JSON.parse('{"__proto__":{"name":"x"},"toString":1}'),
];

type Path = readonly (string | number)[];

function* pathsOf(value: unknown, path: Path = []): Generator<Path> {
  if (path.length > 0) yield path;
  if (typeof value !== 'object' || value === null) return;
  for (const [key, inner] of Object.entries(value))
    yield* pathsOf(inner, [...path, Array.isArray(value) ? Number(key) : key]);
}

/** The value with what is at the path replaced; undefined takes it away. */
function changed(value: unknown, [step, ...rest]: Path, by: unknown): unknown {
  if (step === undefined) return by;
  const copy = (Array.isArray(value) ? [...value] : { ...(value as object) }) as Record<string | number, unknown>;
  copy[step] = changed(copy[step], rest, by);
  return copy;
}

/** Every way in which the record can be wrong at one place, as text. */
function* wrongs(record: object): Generator<string> {
  for (const path of pathsOf(record))
    for (const by of [undefined, ...WRONG]) yield JSON.stringify(changed(record, path, by));
}

/** An object of each kind with all of its fields. Its host is one that nobody declared: what it claims is nobody's. */
function samples(): { kind: KindDefinition; object: PlumbObject }[] {
  const status = {
    observedGeneration: 1,
    conditions: [
      { type: 'Ready', status: 'True', reason: 'Well', message: 'is well', lastTransitionTime: '2026-01-01T00:00:00Z' },
    ],
  };
  const specs: Record<string, { spec: object; status?: object }> = {
    Zone: { spec: { description: 'x' } },
    Host: { spec: hostSpec, status: { driver: 'simulated', agentVersion: '1', cpus: 1, memoryMiB: 1, orphans: [] } },
    L2Network: { spec: { zone: 'home', type: 'vxlan', vni: 200, hostSelector: { matchLabels: { a: 'b' } } } },
    L3Network: {
      spec: {
        l2Network: 'lab',
        ipv4: {
          cidr: '10.9.0.0/24',
          gateway: '10.9.0.1',
          ranges: [{ start: '10.9.0.9', end: '10.9.0.99' }],
          reserved: [],
        },
        dns: { domain: 'x', servers: ['10.9.0.2'] },
      },
      status: { dhcpAddress: '10.9.0.1' },
    },
    Image: { spec: { url: 'https://x/y', sha256: 'b'.repeat(64), format: 'raw', maxSizeMiB: 9 } },
    InstanceOffering: { spec: { cpus: 1, memoryMiB: 64 } },
    Instance: {
      spec: instanceSpec({
        spread: { group: 'g' },
        hostSelector: { matchLabels: { a: 'b' } },
        sshKeys: ['k'],
        userData: 'u',
      }),
      status: {
        ...{ host: 'host-9', power: 'Running', cpus: 1, memoryMiB: 64 },
        rootDisk: { id: '@.root', imageUid: 'i', sha256: 'b'.repeat(64), format: 'raw' },
        interfaces: [
          {
            name: 'eth0',
            l3Network: 'default/lab',
            l3NetworkUid: 'n',
            macAddress: '02:00:00:00:00:09',
            addresses: ['10.9.9.9'],
          },
        ],
      },
    },
    ChangeSet: { spec: { objects: [{ kind: 'Zone', metadata: { name: 'made' }, spec: {} }], deadlineSeconds: 60 } },
    GitSource: {
      spec: {
        ...{
          url: 'https://example.org/x.git',
          ref: 'main',
          path: 'a',
          intervalSeconds: 300,
          suspend: true,
          prune: true,
        },
        ...{ driftPolicy: 'Report', atomic: true, serviceAccountName: 'ci', dependsOn: ['b'] },
        ...{ webhookSecretName: 'w' },
      },
      status: {
        ...{ revision: 'c', source: { url: 'https://example.org/x.git', ref: 'main', path: 'a' }, failedRevision: 'f' },
        ...{ inventory: ['Zone/a'], drifted: ['Zone/a'], deleting: ['Zone/b'], approvedPrune: 'd' },
        history: [{ revision: 'c', time: '2026-01-01T00:00:00Z', result: 'Applied', written: 1 }],
        pendingPrune: { digest: 'd', because: 'x', count: 1, objects: ['Zone/c'] },
      },
    },
    TerraformState: {
      spec: { description: 'x' },
      status: {
        ...{ serial: 1, lineage: 'l', bytes: 1, resources: 1, terraformVersion: '1', writtenBy: 'u' },
        lock: { id: 'i', operation: 'o', who: 'w', user: 'u', address: 'a', since: '2026-01-01T00:00:00Z' },
        versions: [{ serial: 1, lineage: 'l', writtenAt: '2026-01-01T00:00:00Z' }],
      },
    },
  };
  return kinds.map((kind) => {
    const { spec, status: more } = specs[kind.kind] ?? { spec: allowed(kind) };
    const metadata = {
      ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
      ...{ name: '@', uid: '@', generation: 1, creationTimestamp: '2026-01-01T00:00:00Z' },
      ...{ labels: { a: 'b' }, annotations: { a: 'b' }, finalizers: [`plumb.dev/${kind.kind.toLowerCase()}`] },
    };
    const object = { apiVersion: 'plumb.dev/v1', kind: kind.kind, metadata, spec, status: { ...status, ...more } };
    return { kind, object: object as unknown as PlumbObject };
  });
}

/** Of a kind that is not named above: what its schema allows, and may be deleted. */
function allowed({ kind, spec: schema }: KindDefinition): object {
  const spec = fromSchema(new Dice(kind), schema as never) as { deletionProtection?: boolean };
  delete spec.deletionProtection;
  return spec;
}

/** Records of each kind that is no object, by the beginning of their keys. */
function others(): Record<string, object> {
  const rootDisk = { id: 'd', imageUid: 'i', sha256: 'b'.repeat(64), format: 'raw' };
  const network = { name: 'eth0', l3Network: 'default/lab', l3NetworkUid: 'n', macAddress: '02:00:00:00:00:09' };
  const held = { host: 'h', cpus: 1, memoryMiB: 1, interfaces: [{ ...network, addresses: ['10.9.9.9'] }], rootDisk };
  const resource = { kind: 'seed', id: 's', owner: 'u', spec: { instanceId: 'i', hostname: 'h', sshKeys: [] } };
  const step = {
    id: 's',
    host: 'h',
    verb: 'ensure',
    resource,
    undo: 'undoable',
    disruption: 'none',
    why: 'x',
    previous: resource,
  };
  const failure = { reason: 'R', message: 'm', undone: ['x'] };
  return {
    [keys.flow('')]: {
      ...{ key: '/objects/instances/default/x', uid: 'u', purpose: 'update', generation: 1, direction: 'forward' },
      ...{
        plan: { version: PLAN_VERSION, steps: [step] },
        carried: [step],
        target: held,
        held: [held],
        inputs: 'i',
        startedAt: 1,
      },
      ...{ failure, stuck: failure, attempts: 1, former: [resource] },
    },
    [keys.changeSet('')]: {
      ...{ direction: 'back', deadlineAt: 1, failure: { reason: 'R', message: 'm' } },
      members: [
        { key: '/objects/zones//x', uid: 'u', generation: 1, previous: { spec: {}, labels: { a: 'b' }, ready: true } },
      ],
    },
    [keys.gitCommits]: {
      ...{ phase: 'back', revision: 'c', parts: 0, deadlineAt: 1, failure: { reason: 'R', message: 'm' } },
    },
    [keys.hostAllocation('')]: { cpus: 1, memoryMiB: 1, instances: 1 },
    [keys.credential('')]: { sha256: 'a'.repeat(64), registers: '*', token: 't', at: 1 },
    [keys.joinTokens]: {
      ...{ sha256: 'a'.repeat(64), admits: { host: 'h' }, uses: 1, joined: [{ host: 'h', at: 1 }] },
      ...{ createdAt: 1, createdBy: 'admin', expiresAt: 1, revokedAt: 1 },
    },
    [keys.deleted('')]: { kind: 'Zone', name: 'x', uid: 'u', deletedAt: '2026-01-01T00:00:00Z' },
  };
}

/** Key → text. The name of each object is in its key. */
function everyRecord(): Map<string, string> {
  const records = new Map<string, string>();
  for (const { kind, object } of samples())
    for (const [n, text] of [...wrongs(object)].entries()) {
      const name = `wrong-${n}`;
      const key = keys.object(kind.plural, object.metadata.namespace, name);
      records.set(
        key,
        text
          .replace('"name":"@"', `"name":"${name}"`)
          // Objects of different kinds have different uids, wrong as they are.
          .replace('"uid":"x"', `"uid":"x-${kind.plural}"`)
          .replace('"uid":"@"', `"uid":"${kind.plural}-${n}"`)
          .replace('@.root', `${kind.plural}-${n}.root`),
      );
    }
  for (const [prefix, record] of Object.entries(others()))
    for (const [n, text] of [...wrongs(record)].entries())
      records.set(`${prefix}wrong-${n}`, text.replace('"uid":"u"', `"uid":"wrong-${n}"`));
  for (const [n, value] of ['', ' ', '{}', 'a b', 'null'].entries()) {
    records.set(`/alloc/address/net/10.9.9.${n}`, value);
    records.set(`/alloc/mac/02:00:00:00:01:0${n}`, value);
    records.set(`/alloc/odd-${n}`, value);
    records.set(`/objects/odd/${n}`, value);
    records.set(`/objects/zones/${n}`, value);
    records.set(`/objects/namespaces//ns-${n}`, value);
  }
  return records;
}

/** How each store is opened; one record of so many is put there. */
const stores: Record<string, { every: number; open: () => Store }> = {
  'in memory': { every: 1, open: () => new MemoryStore() },
  'in SQLite': { every: 4, open: sqlite },
};

function sqlite(): Store {
  const folder = mkdtempSync(join(tmpdir(), 'plumb-every-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return SqliteStore.open(join(folder, 'store'));
}

async function put(store: Store, records: ReadonlyMap<string, string>): Promise<void> {
  const ops = Array.from(records, ([key, value]) => ({ type: 'put' as const, key, value }));
  for (let from = 0; from < ops.length; from += MAX_BATCH_KEYS)
    await store.commit({ preconditions: [], ops: ops.slice(from, from + MAX_BATCH_KEYS) });
}

/** By kind: its collection. */
const collectionOf = ({ plural, scope }: KindDefinition) =>
  scope === 'Namespaced' ? `${V1}/namespaces/default/${plural}` : `${V1}/${plural}`;

async function deleteAll(api: ApiRig, paths: readonly string[]): Promise<void> {
  for (let from = 0; from < paths.length; from += 100) {
    const answers = await Promise.all(paths.slice(from, from + 100).map((path) => api.ask('DELETE', path)));
    expect(answers.map(({ status }) => status).filter((status) => status !== 200 && status !== 404)).toEqual([]);
  }
}

/** Whether it is kept by finalizers of others alone. */
function isKept(text: string): boolean {
  const { finalizers } = (JSON.parse(text) as PlumbObject).metadata;
  return finalizers !== undefined && !finalizers.some((one) => one.startsWith('plumb.dev/'));
}

const settle = () => new Promise((resolve) => setTimeout(resolve, 10));

test.for(Object.keys(stores))('a store full of what is wrong, %s', { timeout: 120_000 }, async (name) => {
  const { every, open } = stores[name]!;
  const store = open();
  const fleet = new FakeFleet();
  let rig: Rig = await startRig({ store, fleet });
  await makeEstate(rig);
  await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
  await rig.ready('Instance', 'web-0');
  await rig.stop();
  const live = fleet.keysOn('host-1');
  const records = new Map([...everyRecord()].filter((_, n) => n % every === 0));
  await put(store, records);

  const { metadata } = rig.get('Instance', 'web-0')!;
  rig = await startRig({ store, fleet });
  const { cache } = rig;
  const api = await startApiRig({ store, wrongs: cache.poisoned, extensions: poisonedExtensions(rig.context) });
  onTestFinished(() => api.stop());
  onTestFinished(() => rig.stop());

  // What was not touched converges, old and new.
  await rig.create('Host', 'host-2', hostSpec);
  for (const host of ['host-2', 'host-9', 'x']) fleet.connect(host);
  await rig.create('Instance', 'web-1', instanceSpec({ ...at('10.20.0.250'), power: 'Stopped' }));
  await rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, { restartPolicy: 'Always' }));
  for (const instance of ['web-0', 'web-1']) await rig.ready('Instance', instance);
  expect(fleet.keysOn('host-1')).toEqual(expect.arrayContaining(live));

  // Each is listed and readable, and what cannot be understood is told with what is wrong.
  const told = new Set(
    (await api.ask('GET', `${V1}/poisoned`)).body.items.map(
      (item: { metadata: { name: string } }) => item.metadata.name,
    ),
  );
  const objects: string[] = [];
  let poisoned = 0;
  for (const kind of kinds) {
    const { items } = (await api.ask('GET', collectionOf(kind))).body as { items: PlumbObject[] };
    const listed = new Map(items.map((object) => [object.metadata.name, object]));
    for (const [key, text] of records) {
      const prefix = keys.object(kind.plural, kind.scope === 'Namespaced' ? 'default' : undefined, '');
      if (!key.startsWith(prefix)) continue;
      const object = listed.get(key.slice(prefix.length));
      const isAside = cache.poisoned.get(key) !== undefined;
      expect(object, text).toMatchObject({ kind: kind.kind, metadata: { resourceVersion: expect.any(String) } });
      expect(told.has(key), text).toBe(isAside || cache.poisoned.thrown(key).length > 0);
      expect(object!.status?.conditions?.some(({ type }) => type === 'Poisoned') ?? false, text).toBe(told.has(key));
      objects.push(`${collectionOf(kind)}/${key.slice(prefix.length)}`);
      if (isAside) poisoned++;
    }
    const table = await api.ask('GET', collectionOf(kind), {
      headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io' },
    });
    expect(table.body.rows).toHaveLength(items.length);
  }
  // Most of what is wrong in these ways is nothing that can be understood.
  expect(records.size).toBeGreaterThan(2_000 / every);
  expect(poisoned).toBeGreaterThan(objects.length / 2);
  for (const path of objects.filter((_, n) => n % 50 === 0)) expect((await api.ask('GET', path)).status).toBe(200);

  // Each is deletable, and so are the other records; nothing of what was not touched goes with them.
  for (const of of ['instances', 'changesets', 'l3networks', 'l2networks', ''])
    await deleteAll(
      api,
      objects.filter((path) => path.includes(`/${of}`)),
    );
  const left = async () => {
    const { entries } = await store.list('/objects/');
    // What finalizers of others keep is theirs to end.
    return entries.filter(({ key, value }) => records.has(key) && key.includes('/wrong-') && !isKept(value));
  };
  while ((await left()).length > 0) await settle();
  const unreadable = [...cache.poisoned.recordsUnder('/')];
  await deleteAll(
    api,
    unreadable.map((key) => `${V1}/poisoned/${encodeURIComponent(key)}`),
  );
  expect(cache.poisoned.recordsUnder('/')).toEqual([]);
  expect(rig.get('Instance', 'web-0')!.metadata.uid).toBe(metadata.uid);
  for (const instance of ['web-0', 'web-1']) await rig.ready('Instance', instance);
  expect(fleet.keysOn('host-1')).toEqual(expect.arrayContaining(live));
});
