/** Objects and records that cannot be understood: everything else goes on, and nothing of them is lost or destroyed. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FakeFleet } from '../fleet/testing/fake-fleet.ts';
import { kindOfKey } from '../runtime/object-table.ts';
import { examine, markedText } from '../store/examine.ts';
import { keys } from '../store/keys.ts';
import { MemoryStore } from '../store/memory.ts';
import { abandonFlow } from './placed/release.ts';
import { at, condition, hostSpec, instanceSpec, makeEstate } from './testing/estate.ts';
import { type Rig, startRig } from './testing/rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await startRig();
  await makeEstate(rig);
});

afterEach(() => rig.stop());

const keyOf = (plural: string, name: string) =>
  keys.object(
    plural,
    plural === 'instances' || plural === 'l3networks' || plural === 'changesets' ? 'default' : undefined,
    name,
  );

/** Writes straight into the store, as no client can. */
async function write(key: string, change: string | ((text: string) => string)): Promise<void> {
  const before = (await rig.store.get(key))?.value ?? '';
  const value = typeof change === 'string' ? change : change(before);
  await rig.store.commit({ preconditions: [], ops: [{ type: 'put', key, value }] });
  await settle();
}

/** Writes an object with a field in place of what it is; undefined removes it. */
const withField = (path: string, value: unknown) => (text: string) => {
  const object = JSON.parse(text);
  const steps = path.split('.');
  let at = object;
  for (const step of steps.slice(0, -1)) at = at[step];
  at[steps.at(-1)!] = value;
  return JSON.stringify(object);
};

/** Another start over the same store and the same hosts. */
async function restart(): Promise<void> {
  const { store, fleet } = rig;
  await rig.stop();
  rig = await startRig({ store, fleet });
}

const settle = () => new Promise((resolve) => setImmediate(resolve));
const aside = (plural: string, name: string) => rig.cache.poisoned.get(keyOf(plural, name));

/** Resolves when the key is gone from the store. */
async function goneFromStore(key: string): Promise<void> {
  while (await rig.store.get(key)) await settle();
}

/** As the API marks an object that cannot be understood. */
async function markDeleted(plural: string, name: string): Promise<void> {
  const entry = (await rig.store.get(keyOf(plural, name)))!;
  const { poison } = examine(kindOfKey(entry.key)!, entry);
  await write(entry.key, markedText(entry, poison!, '2026-01-01T00:00:00Z'));
}

const wrongs: [string, (text: string) => string][] = [
  ['cut', (text) => text.slice(0, -20)],
  ['nothing', () => ''],
  ['null', () => 'null'],
  ['a list', () => '[]'],
  ['nested without end', () => `${'['.repeat(200_000)}${']'.repeat(200_000)}`],
  [
    'deep inside',
    (text) => text.replace('"spec":{', `"spec":{"more":${'{"a":'.repeat(60_000)}1${'}'.repeat(60_000)},`),
  ],
  ['without spec', withField('spec', undefined)],
  [
    'with metadata that is a prototype',
    (text) => text.replace('"metadata":{', '"metadata":{"__proto__":{').replace('},"spec"', '}},"spec"'),
  ],
  ['without metadata', withField('metadata', undefined)],
  ['with conditions that are none', withField('status', { conditions: [null] })],
  ['of a newer version', withField('apiVersion', 'plumb.dev/v9')],
  ['of another kind', withField('kind', 'Nothing')],
  ['of another name', withField('metadata.name', 'other')],
  ['with finalizers that are no list', withField('metadata.finalizers', 'plumb.dev/instance')],
];

describe.each([
  ['instances', 'web-0'],
  ['hosts', 'host-1'],
  ['l3networks', 'lab'],
  ['l2networks', 'lab'],
  ['images', 'tiny'],
  ['instanceofferings', 'small'],
  ['zones', 'home'],
])('one of %s', (plural, name) => {
  it.each(wrongs)('%s is set aside, and everything else goes on, before and after a start', async (_, wrong) => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.12')));
    await rig.ready('Instance', 'web-0');
    await rig.ready('Instance', 'web-1');
    const live = rig.fleet.keysOn('host-1');
    const before = (await rig.store.get(keyOf(plural, name)))!.value;

    await write(keyOf(plural, name), wrong);
    for (const turn of ['running', 'started']) {
      expect(aside(plural, name), turn).toBeDefined();
      await rig.create('Zone', turn, {});
      await rig.ready('Zone', turn);
      await rig.edit('Instance', 'web-1', (o) => Object.assign(o.metadata, { labels: { turn } }));
      await settle();
      expect(rig.fleet.keysOn('host-1')).toEqual(live);
      await restart();
    }

    await write(keyOf(plural, name), before);
    expect(aside(plural, name)).toBeUndefined();
    for (const instance of ['web-0', 'web-1'])
      await rig.edit('Instance', instance, (o) => Object.assign(o.metadata, { labels: { mended: 'yes' } }));
    await rig.ready('Instance', 'web-0');
    await rig.ready('Instance', 'web-1');
    expect(rig.fleet.keysOn('host-1')).toEqual(live);
    expect(rig.errors.filter((error) => error.includes('Internal'))).toEqual([]);
  });
});

describe('an instance that cannot be understood', () => {
  const poison: [string, (text: string) => string][] = [
    ['its spec', withField('spec', 5)],
    ['its status', withField('status.interfaces', null)],
    ['all but its uid', (text) => text.slice(0, text.indexOf('"generation"'))],
  ];

  it.each(poison)('is deleted by key and uid: what it holds is freed (%s)', async (_, wrong) => {
    const free = await rig.keys('/alloc/');
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await write(keyOf('instances', 'web-0'), wrong);
    expect(aside('instances', 'web-0')).toMatchObject({ uid });
    await restart();
    await markDeleted('instances', 'web-0');
    await goneFromStore(keyOf('instances', 'web-0'));
    expect(rig.fleet.keysOn('host-1').filter((key) => key.includes(uid))).toEqual([]);
    expect(await rig.keys('/alloc/')).toEqual([...free, '/alloc/host/host-1']);
    expect(await rig.keys('/deleted/')).toEqual([`/deleted/${uid}`]);
    expect(await rig.keys('/flows/')).toEqual([]);
    await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.11')));
    await rig.ready('Instance', 'web-1');
  });

  it.each(['the host', 'a person'])('keeps its addresses until %s has said that it is not there', async (says) => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await write(keyOf('instances', 'web-0'), withField('status', []));
    rig.fleet.disconnect('host-1');
    await markDeleted('instances', 'web-0');
    while (rig.cache.poisoned.thrown(keyOf('instances', 'web-0')).length === 0) await settle();
    expect(rig.cache.poisoned.thrown(keyOf('instances', 'web-0'))[0]!.message).toContain('host-1');
    expect(await rig.keys('/alloc/address/')).toHaveLength(1);
    if (says === 'a person') await abandonFlow(rig.context, uid);
    else rig.fleet.connect('host-1');
    rig.context.enqueue(keyOf('instances', 'web-0'));
    await goneFromStore(keyOf('instances', 'web-0'));
    expect(await rig.keys('/alloc/address/')).toEqual([]);
  });

  it('is no orphan, and its host and its networks stay for it', async () => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    await rig.ready('Instance', 'web-0');
    const live = rig.fleet.keysOn('host-1');
    await write(keyOf('instances', 'web-0'), (text) => text.slice(0, text.indexOf('"generation"')));
    await restart();
    for (const [kind, name] of [
      ['Host', 'host-1'],
      ['L3Network', 'lab'],
      ['L2Network', 'lab'],
      ['Image', 'tiny'],
    ] as const)
      await rig.remove(kind, name);
    await rig.until('Host', 'host-1', (o) => condition(o, 'Ready')?.reason === 'DeletionBlocked');
    expect(condition(rig.get('Host', 'host-1'), 'Ready')?.message).toContain('Instance default/web-0');
    expect(rig.get('Host', 'host-1')!.status).not.toHaveProperty('orphans');
    expect(rig.fleet.keysOn('host-1')).toEqual(live);
  });

  it('goes with its spec mended: the same guest, with what it held', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    const ready = await rig.ready('Instance', 'web-0');
    const live = rig.fleet.keysOn('host-1');
    await write(keyOf('instances', 'web-0'), withField('spec.interfaces', undefined));
    await restart();
    await write(keyOf('instances', 'web-0'), withField('spec', instanceSpec()));
    const mended = await rig.ready('Instance', 'web-0');
    expect(mended.status).toMatchObject({ interfaces: ready.status!.interfaces as object });
    expect(rig.fleet.keysOn('host-1')).toEqual(live);
  });
});

it.each([
  ['the id of its disk', (text: string) => text.replace(/"id":"(.*?)\.root"/, '"id":"$1.rood"')],
  [
    'its uid',
    (text: string) =>
      text.replace(/"uid":"."/, '"uid":"x"').replace(/("uid":")(.)/, (_, a, b) => a + (b === '0' ? '1' : '0')),
  ],
  ['its host', (text: string) => text.replace('"host":"host-1"', '"host":"host-2"')],
])('an instance of which %s was damaged in its status loses nothing', async (_, wrong) => {
  await rig.create('Host', 'host-2', hostSpec);
  rig.fleet.connect('host-2');
  await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
  await rig.ready('Instance', 'web-0');
  const host = rig.get('Instance', 'web-0')!.status!.host as string;
  const live = rig.fleet.keysOn(host);
  const other = host === 'host-1' ? 'host-2' : 'host-1';
  await write(keyOf('instances', 'web-0'), (text) =>
    wrong(text.replace(`"host":"${host}"`, '"host":"host-1"')).replace(/"host":"host-[12]"/, (found) =>
      found.includes('host-2') ? `"host":"${other}"` : `"host":"${host}"`,
    ),
  );
  await restart();
  await rig.edit('Zone', 'home', (o) => Object.assign(o.metadata, { labels: { a: 'b' } }));
  rig.context.enqueue(keyOf('instances', 'web-0'));
  await rig.create('Instance', 'web-1', instanceSpec());
  await rig.ready('Instance', 'web-1');
  const { uid } = (await rig.ready('Instance', 'web-1')).metadata;
  expect(rig.fleet.keysOn(host).filter((key) => !key.includes(uid))).toEqual(live);
});

it('of two objects with one uid the older one is the object, in whatever order they are read', async () => {
  await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.11')));
  const { uid } = (await rig.ready('Instance', 'web-1')).metadata;
  const text = (await rig.store.get(keyOf('instances', 'web-1')))!.value;
  for (const double of ['web-0', 'web-2'])
    await write(keyOf('instances', double), text.replace('"web-1"', `"${double}"`));
  await write(keyOf('zones', 'double'), text);
  for (const turn of ['running', 'started']) {
    expect(rig.cache.byUid(uid)?.object.metadata.name, turn).toBe('web-1');
    for (const double of ['web-0', 'web-2'])
      expect(aside('instances', double)).toMatchObject({ uid: undefined, problems: [{ field: 'metadata.uid' }] });
    await restart();
  }
  expect(rig.fleet.keysOn('host-1')).toContain(`domain/${uid}`);
});

describe('a record that cannot be read', () => {
  it.each([
    ['is no JSON', 'nonsense'],
    ['has no plan', '{}'],
    ['is of a newer Plumb', '{"plan":{"version":99,"steps":[]}}'],
    ['is that of another', undefined],
  ])('of a flow leaves its instance as it is until a person has it forgotten: it %s', async (_, value) => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    await rig.create('Instance', 'web-1', instanceSpec());
    const { uid } = (await rig.ready('Instance', 'web-0')).metadata;
    await rig.ready('Instance', 'web-1');
    const live = rig.fleet.keysOn('host-1');
    const other = JSON.stringify({ ...flowOf('another'), uid: 'another' });
    await write(keys.flow(uid), value ?? other);
    await restart();
    await rig.edit('Instance', 'web-0', (o) => Object.assign(o.spec, { power: 'Stopped' }));
    const stalled = await rig.stalled('Instance', 'web-0');
    expect(condition(stalled, 'Ready')).toMatchObject({ reason: 'FlowUnreadable' });
    expect(condition(stalled, 'Ready')!.message).toContain('plumb flows abandon instance/default/web-0');
    await rig.edit('Instance', 'web-1', (o) => Object.assign(o.spec, { restartPolicy: 'Always' }));
    await rig.ready('Instance', 'web-1');
    expect(rig.fleet.keysOn('host-1')).toEqual(live);
    expect([...rig.cache.poisoned.all(() => undefined)]).toMatchObject([{ where: keys.flow(uid) }]);

    await abandonFlow(rig.context, uid);
    await rig.until('Instance', 'web-0', (o) => o?.status?.power === 'Stopped');
    expect(rig.cache.poisoned.records).toBe(0);
  });

  it('of what is handed out on a host is counted anew from what instances hold', async () => {
    await rig.create('Instance', 'web-0', instanceSpec());
    await rig.ready('Instance', 'web-0');
    const right = (await rig.store.get('/alloc/host/host-1'))!.value;
    for (const wrong of ['', '{"cpus":null,"memoryMiB":null,"instances":2}', right.replace('1', '999999')]) {
      await write('/alloc/host/host-1', wrong);
      await restart();
      expect((await rig.store.get('/alloc/host/host-1'))!.value).toBe(right);
      expect(rig.context.index.use('host-1')).toEqual(Object.values(JSON.parse(right)));
    }
  });

  it('of an address keeps it from others, is listed, and is freed with the instance that has it', async () => {
    await rig.create('Instance', 'web-0', instanceSpec(at('10.20.0.11')));
    await rig.ready('Instance', 'web-0');
    const [key] = await rig.keys('/alloc/address/');
    await write(key!, ' no uid ');
    await write('/alloc/address/lab/not an address'.replaceAll(' ', '-'), crypto.randomUUID());
    await restart();
    expect(rig.cache.poisoned.records).toBe(2);
    await rig.create('Instance', 'web-1', instanceSpec(at('10.20.0.11')));
    await rig.until('Instance', 'web-1', (o) => condition(o, 'Ready')?.reason === 'DuplicateAddress');
    await rig.remove('Instance', 'web-0');
    await rig.gone('Instance', 'web-0');
    await rig.ready('Instance', 'web-1');
  });

  it('of how a change set gets back stops nothing but the change set, which can be deleted', async () => {
    const objects = [{ kind: 'Zone', metadata: { name: 'never' }, spec: {} }];
    await rig.create('ChangeSet', 'one', { objects, deadlineSeconds: 600 });
    const { uid } = (await rig.ready('ChangeSet', 'one')).metadata;
    await rig.edit('ChangeSet', 'one', (o) => Object.assign(o, { status: {} }));
    await write(keys.changeSet(uid), '{"direction":"forward","members":7}');
    await restart();
    await rig.until('ChangeSet', 'one', (o) => condition(o, 'Ready')?.reason === 'RecordUnreadable');
    await rig.remove('ChangeSet', 'one');
    await rig.gone('ChangeSet', 'one');
    expect(await rig.keys('/changesets/')).toEqual([]);
  });
});

it('what a listener throws is noted of the object, and the others hear of it', async () => {
  const heard: string[] = [];
  const throwing = new Set(['/objects/zones//bad']);
  const end = rig.cache.onChange(({ key }) => {
    if (throwing.has(key)) throw new TypeError('x is not iterable');
  }, 'the thrower');
  rig.cache.onChange(({ key }) => heard.push(key));
  await rig.create('Zone', 'bad', {});
  await rig.create('Zone', 'good', {});
  await rig.ready('Zone', 'bad');
  await rig.ready('Zone', 'good');
  expect(heard).toContain('/objects/zones//bad');
  expect(rig.cache.poisoned.thrown('/objects/zones//bad')).toEqual([
    { field: 'the thrower', message: 'TypeError: x is not iterable' },
  ]);
  throwing.clear();
  await rig.edit('Zone', 'bad', (o) => Object.assign(o.metadata, { labels: { a: 'b' } }));
  await settle();
  expect(rig.cache.poisoned.objects).toBe(0);
  end();
});

it('a controller that throws on one object is told of with it, and works on the others', async () => {
  await rig.create('L3Network', 'odd', { l2Network: 'lab', ipv4: { cidr: '10.9.0.0/24', gateway: 'no address' } });
  await rig.until('L3Network', 'odd', (o) => condition(o, 'Ready')?.reason === 'Internal');
  await rig.create('L3Network', 'even', { l2Network: 'lab', ipv4: { cidr: '10.9.0.0/24' } });
  await rig.ready('L3Network', 'even');
  expect(rig.cache.poisoned.thrown(keyOf('l3networks', 'odd'))).toMatchObject([{ field: 'the l3-network controller' }]);
  await rig.edit('L3Network', 'odd', (o) => Object.assign(o.spec, { ipv4: { cidr: '10.9.0.0/24' } }));
  await rig.ready('L3Network', 'odd');
  expect(rig.cache.poisoned.objects).toBe(0);
});

it('a start over nothing but nonsense comes up', async () => {
  await rig.stop();
  const store = new MemoryStore();
  const nonsense = ['', 'x', '{}', '[]', '7', '{"metadata":{}}', '"'];
  const places = [
    '/objects/instances/default/a',
    '/objects/zones//z',
    '/objects/zones/x',
    '/objects/nokind//x',
    '/objects/x',
  ];
  const records = ['/alloc/host/h', '/alloc/mac/x', '/alloc/address/x', '/flows/f', '/changesets/c', '/deleted/d'];
  const ops = [...places, ...records].flatMap((key) =>
    nonsense.map((value, i) => ({ type: 'put' as const, key: `${key}${i}`, value })),
  );
  await store.commit({ preconditions: [], ops });
  rig = await startRig({ store, fleet: new FakeFleet() });
  await rig.create('Zone', 'home', {});
  await rig.ready('Zone', 'home');
  expect(rig.errors).toEqual([]);
});

function flowOf(uid: string): Record<string, unknown> {
  return {
    key: '/objects/instances/default/x',
    ...{ uid, purpose: 'create', generation: 1, direction: 'forward', plan: { version: 1, steps: [] } },
    ...{ held: [], inputs: '', startedAt: 0 },
  };
}
