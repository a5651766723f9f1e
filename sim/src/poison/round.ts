/**
 * One round: a cloud with guests on two hosts, some of it in the middle of work; its control plane dies, a part of its store is
 * damaged, and it starts again. It must come up; what was not touched, and refers to nothing that was, must be and stay as
 * declared; whatever lived must live on; each object must be listed and readable, and what cannot be understood told and deletable.
 */

import { isReady } from '@plumb/reconciler/runtime/conditions.ts';
import { kindOfKey } from '@plumb/reconciler/runtime/object-table.ts';
import { referenceKeys } from '@plumb/reconciler/runtime/references.ts';
import { examine } from '@plumb/reconciler/store/examine.ts';
import { parseObjectKey } from '@plumb/reconciler/store/keys.ts';
import { apiVersionOf, type Instance, isBuiltin, type KindDefinition, type PlumbObject } from '@plumb/schemas';
import { Dice } from '../core/dice.ts';
import type { Ask } from '../workload/actions.ts';
import { foundation } from '../workload/foundation.ts';
import { requestOf } from '../workload/requests.ts';
import { World } from '../world/world.ts';
import { damaged, type Stored } from './mutate.ts';

export interface RoundResult {
  /** What is wrong; empty when all is well. */
  wrong: string[];
  /** Records that were damaged. */
  records: number;
  /** Of them objects that could not be understood. */
  poisoned: number;
}

const INSTANCES = 12;
const NETWORKS = ['lab', 'plain'] as const;

export async function round(seed: string): Promise<RoundResult> {
  const dice = new Dice(seed);
  const world = new World({ seed, hosts: 2, cpus: 16, memoryMiB: 65_536, zone: 'home' });
  try {
    return await play(world, dice);
  } catch (error) {
    return { wrong: [`the simulation threw: ${(error as Error).stack}`], records: 0, poisoned: 0 };
  } finally {
    world.close();
  }
}

async function play(world: World, dice: Dice): Promise<RoundResult> {
  const ask = async (action: Ask) => {
    const { method, path, body } = requestOf(action, { uid: '', reach: 0 });
    await world.ask(method, path, body);
  };
  for (const action of foundation) await ask(action);
  await world.run(3_000);
  for (let n = 0; n < INSTANCES; n++) await ask(vm(`vm-${n}`, dice.pick(NETWORKS)));
  await world.run(20_000);
  // Some of it is in the middle of work when the end comes.
  if (dice.chance(0.5)) {
    for (let n = 0; n < 3; n++)
      await ask({ do: 'change', kind: 'Instance', name: `vm-${n}`, spec: { power: 'Stopped' } });
    await world.run(dice.between(0, 30));
  }
  world.restarts = false;
  world.crashControl();
  await world.run(100);

  const before = new Map(Array.from(world.disk.entries, ([key, { value }]) => [key, value]));
  const lived = liveResources(world);
  const touched = damage(world, dice, before);
  world.restarts = true;
  world.startControl();
  // Longer than anybody is waited for after a start, and until what failed was tried again.
  await world.run(100_000);
  const poisoned = poisonedKeys(world);
  const wrong = [...world.violations, ...(await shown(world, poisoned))];
  const well = untouched(before, touched);
  wrong.push(...notWell(world, well, before), ...lost(world, lived, before));
  if (wrong.length === 0) wrong.push(...(await deleteAll(world, poisoned, well, before)));
  return { wrong: [...new Set([...wrong, ...world.violations])], records: touched.size, poisoned: poisoned.length };
}

function vm(name: string, network: string): Ask {
  const interfaces = [{ name: 'eth0', l3Network: network }];
  return {
    ...{ do: 'create', kind: 'Instance', name },
    spec: { zone: 'home', offering: 'small', image: 'tiny', interfaces },
  };
}

/** Damages a part of the store. Returns the keys that it touched. */
function damage(world: World, dice: Dice, before: ReadonlyMap<string, string>): Set<string> {
  const all = Array.from(before, ([key, value]): Stored => ({ key, value }));
  const share = dice.pick([0.1, 0.3, 0.6]);
  // With the zone everything would be touched.
  const chosen = all.filter(({ key }) => dice.chance(key.startsWith('/objects/zones/') ? share / 5 : share));
  const touched = new Set<string>();
  for (const record of chosen) {
    const { key, value } = damaged(dice, record, all);
    touched.add(key);
    world.disk.apply({ preconditions: [], ops: [{ type: 'put', key, value }] });
  }
  return touched;
}

/** Host → keys of what is there, by owner. */
function liveResources(world: World): Map<string, string[]> {
  const resources = new Map<string, string[]>();
  for (const [host, machine] of world.machines)
    for (const [key, { owner, kind }] of machine.resources())
      if (kind === 'disk' || kind === 'domain' || kind === 'port')
        resources.set(owner, [...(resources.get(owner) ?? []), `${host} ${key}`]);
  return resources;
}

/** The kind of the key, if it is one that a controller keeps. */
function ownKindOf(key: string): KindDefinition | undefined {
  const kind = kindOfKey(key);
  return kind && isBuiltin(kind) ? undefined : kind;
}

function poisonedKeys(world: World): string[] {
  const found: string[] = [];
  for (const [key, { value, revision }] of world.disk.entries) {
    const kind = ownKindOf(key);
    if (kind && examine(kind, { key, value, revision }).poison) found.push(key);
  }
  return found;
}

/** Everything is listed and can be read, and what cannot be understood says so. */
async function shown(world: World, poisoned: readonly string[]): Promise<string[]> {
  const wrong: string[] = [];
  const told = await world.ask('GET', '/apis/plumb.dev/v1/poisoned');
  if (told?.code !== 200) return [`what is set aside is not told: ${JSON.stringify(told)}`];
  const { items } = told.body as { items: { metadata: { name: string } }[] };
  const names = new Set(items.map(({ metadata }) => metadata.name));
  for (const key of poisoned) if (!names.has(key)) wrong.push(`${key} cannot be understood and is not told`);
  const lists = new Map<string, Set<string>>();
  for (const key of world.disk.entries.keys()) {
    const path = collectionOf(key);
    const name = parseObjectKey(key)?.name;
    if (path === undefined || name === undefined || key.split('/').length !== 5) continue;
    const listed = lists.get(path) ?? (await namesAt(world, path));
    lists.set(path, listed);
    if (!listed.has(name)) wrong.push(`${key} is not listed`);
  }
  for (const key of poisoned.slice(0, 10)) {
    const answer = await world.ask('GET', pathOf(key));
    const { metadata, status } = (answer?.body ?? {}) as Partial<PlumbObject>;
    const says = status?.conditions?.some(({ type }) => type === 'Poisoned');
    if (answer?.code !== 200 || metadata?.name !== parseObjectKey(key)?.name || !says)
      wrong.push(`${key} cannot be read: ${JSON.stringify(answer)}`);
  }
  return wrong;
}

async function namesAt(world: World, path: string): Promise<Set<string>> {
  const answer = await world.ask('GET', path);
  const { items = [] } = (answer?.body ?? {}) as { items?: PlumbObject[] };
  return new Set(items.map(({ metadata }) => metadata.name));
}

function collectionOf(key: string): string | undefined {
  const kind = ownKindOf(key);
  const place = parseObjectKey(key);
  if (!kind || !place || (kind.scope === 'Namespaced') !== (place.namespace !== '')) return undefined;
  const project = kind.scope === 'Namespaced' ? `/namespaces/${encodeURIComponent(place.namespace)}` : '';
  const apiVersion = apiVersionOf(kind);
  return `/${apiVersion.includes('/') ? 'apis' : 'api'}/${apiVersion}${project}/${kind.plural}`;
}

function pathOf(key: string): string {
  return `${collectionOf(key)}/${encodeURIComponent(parseObjectKey(key)?.name ?? '')}`;
}

/** Keys of objects that were not touched, nor anything that they refer to, whose host, flow or holdings. */
function untouched(before: ReadonlyMap<string, string>, touched: ReadonlySet<string>): string[] {
  const objects = new Map<string, PlumbObject>();
  for (const [key, value] of before) {
    const kind = ownKindOf(key);
    const object = kind && examine(kind, { key, value, revision: 1 }).object;
    if (object) objects.set(key, object);
  }
  const isWhole = (key: string): boolean => {
    const object = objects.get(key);
    if (!object || touched.has(key)) return false;
    const { uid } = object.metadata;
    const { host } = (object as Instance).status ?? {};
    // What had no place yet waits for hosts that may be damaged.
    if (object.kind === 'Instance' && host === undefined) return false;
    const own = [`/flows/${uid}`, ...(host === undefined ? [] : [`/objects/hosts//${host}`, `/credentials/${host}`])];
    if (own.some((record) => touched.has(record))) return false;
    if (object.kind === 'Host' && touched.has(`/credentials/${object.metadata.name}`)) return false;
    return referenceKeys(ownKindOf(key)!, object).every(isWhole);
  };
  // What was put beside it with its uid may be taken for it only if it was there before.
  return [...objects.keys()].filter(isWhole);
}

function notWell(world: World, well: readonly string[], before: ReadonlyMap<string, string>): string[] {
  const wrong: string[] = [];
  for (const key of well) {
    const object = JSON.parse(world.disk.entries.get(key)?.value ?? 'null') as PlumbObject | null;
    const uid = (JSON.parse(before.get(key)!) as PlumbObject).metadata.uid;
    if (object?.metadata.uid !== uid) wrong.push(`${key} was not touched, and is gone`);
    else if (!isReady(object))
      wrong.push(`${key} was not touched, and is not Ready: ${JSON.stringify(object.status?.conditions)}`);
  }
  return wrong;
}

/** What lived and does not any more. Nobody deleted anything. */
function lost(world: World, lived: ReadonlyMap<string, string[]>, before: ReadonlyMap<string, string>): string[] {
  const now = liveResources(world);
  const instances = new Map<string, string>();
  for (const [key, value] of before)
    if (key.startsWith('/objects/instances/')) instances.set((JSON.parse(value) as PlumbObject).metadata.uid, key);
  const wrong: string[] = [];
  for (const [owner, resources] of lived) {
    const key = instances.get(owner);
    const entry = key === undefined ? undefined : world.disk.entries.get(key);
    // Damaged into another declaration that can be understood, its ports are as that says; its disk stays in any case.
    const isOther = entry !== undefined && entry.value !== before.get(key!);
    const isPoisoned = entry && examine(ownKindOf(key!)!, { key: key!, ...entry }).poison !== undefined;
    for (const resource of resources) {
      if (isOther && !isPoisoned && !resource.includes(' disk/')) continue;
      if (!now.get(owner)?.includes(resource))
        wrong.push(`${resource} of ${key} is gone from its host; its record is now ${entry?.value}`);
    }
  }
  return wrong;
}

/** Deletes what cannot be understood, those that refer to others first. */
async function deleteAll(
  world: World,
  poisoned: readonly string[],
  well: readonly string[],
  before: ReadonlyMap<string, string>,
): Promise<string[]> {
  const wrong: string[] = [];
  const order = [
    'instances',
    'changesets',
    'l3networks',
    'l2networks',
    'images',
    'instanceofferings',
    'hosts',
    'zones',
  ];
  const rank = (key: string) => order.indexOf(key.split('/')[2]!);
  const deletable = poisoned.filter((key) => collectionOf(key) !== undefined && key.split('/').length === 5);
  for (const key of deletable.toSorted((a, b) => rank(a) - rank(b))) {
    const answer = await world.ask('DELETE', pathOf(key));
    if (answer?.code !== 200) wrong.push(`${key} cannot be deleted: ${JSON.stringify(answer)}`);
  }
  await world.run(100_000);
  const thrown = world.control?.control?.context.cache.poisoned;
  for (const key of deletable) {
    const entry = world.disk.entries.get(key);
    if (entry === undefined) continue;
    const why = thrown?.thrown(key).map(({ message }) => message) ?? [];
    // With its metadata mended it may be understood again: then it goes like any other.
    const { object } = examine(ownKindOf(key)!, { key, ...entry });
    // A host that went is there anew when its agent may register it.
    if (object?.kind === 'Host' && object.metadata.deletionTimestamp === undefined) continue;
    for (const { type, reason, message } of object?.status?.conditions ?? [])
      if (type === 'Ready') why.push(`${reason}: ${message}`);
    const waits = why.some((message) =>
      /deleted when nothing refers|DeletionBlocked|is used by|not connected/.test(message),
    );
    if (!waits) wrong.push(`${key} was deleted and is still there: ${why.join('; ')}: ${entry.value}`);
  }
  return [
    ...wrong,
    ...notWell(
      world,
      well.filter((key) => !poisoned.includes(key)),
      before,
    ),
  ];
}
