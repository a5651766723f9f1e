/** The control plane without its edges: real store, cache, journal, lane and controllers over a fleet in memory. */
import { type Ambient, API_GROUP_VERSION, kindByName, type PlumbObject, realAmbient } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { AllocationIndex } from '../../allocation/allocation-index.ts';
import { Holdings } from '../../allocation/holdings.ts';
import { AllocationLane } from '../../allocation/lane.ts';
import { correctUses } from '../../allocation/recount.ts';
import { HostLiveness } from '../../fleet/liveness.ts';
import { FakeFleet } from '../../fleet/testing/fake-fleet.ts';
import { Journal } from '../../flow/journal.ts';
import { ObjectCache } from '../../runtime/cache.ts';
import { isReady, isStalled } from '../../runtime/conditions.ts';
import { EventRing } from '../../runtime/events.ts';
import { StoreFeed } from '../../runtime/store-feed.ts';
import { UserData } from '../../runtime/user-data.ts';
import { keys } from '../../store/keys.ts';
import { MemoryStore } from '../../store/memory.ts';
import { decodeObject, encodeObject } from '../../store/object-codec.ts';
import type { Store } from '../../store/store.ts';
import type { Context } from '../controller.ts';
import { Survey } from '../first-look.ts';
import { followHeld } from '../held.ts';
import { TunnelEndpoints } from '../host/tunnel-endpoints.ts';
import { kindModules } from '../index.ts';
import { holdingTypesOf, type KindModule } from '../kind-module.ts';
import { type Running, runControllers } from '../run.ts';
import { SharedDrifts } from '../shared-drift.ts';

export interface Rig {
  store: Store;
  fleet: FakeFleet;
  cache: ObjectCache;
  errors: string[];
  context: Context;
  create(kind: string, name: string, spec: unknown, metadata?: Partial<PlumbObject['metadata']>): Promise<PlumbObject>;
  edit(kind: string, name: string, change: (object: PlumbObject) => void): Promise<void>;
  remove(kind: string, name: string): Promise<void>;
  get(kind: string, name: string): PlumbObject | undefined;
  /** Resolves when `test` holds for the object; the test's own time limit ends it. */
  until(
    kind: string,
    name: string,
    test: (object: PlumbObject | undefined) => boolean,
  ): Promise<PlumbObject | undefined>;
  ready(kind: string, name: string): Promise<PlumbObject>;
  stalled(kind: string, name: string): Promise<PlumbObject>;
  gone(kind: string, name: string): Promise<void>;
  /** Keys in the store under a prefix, sorted. */
  keys(prefix: string): Promise<string[]>;
  stop(): Promise<void>;
}

export interface RigOptions {
  store?: Store;
  fleet?: FakeFleet;
  ambient?: Ambient;
  limits?: Partial<ServerLimits>;
  audit?: Context['audit'];
  /** What GitSources need; made for the store of the rig. */
  git?: (parts: Pick<Context, 'store' | 'ambient' | 'limits'>) => Context['git'];
  /** In place of all that there are. */
  kinds?: readonly KindModule[];
}

export async function startRig(options: RigOptions = {}): Promise<Rig> {
  const ambient = options.ambient ?? realAmbient();
  const store = options.store ?? new MemoryStore();
  const fleet = options.fleet ?? new FakeFleet();
  const abort = new AbortController();
  const errors: string[] = [];
  const breaches: string[] = [];
  const cache = new ObjectCache(store);
  const kinds = options.kinds ?? kindModules;
  const types = holdingTypesOf(kinds);
  const journal = new Journal(store, types, cache.poisoned);
  const index = new AllocationIndex(cache.poisoned);
  const holdings = new Holdings();
  const feed = new StoreFeed(store, [journal, cache, index]);
  cache.join(feed);
  followHeld({ cache, journal, holdings, feed, types });
  const survey = new Survey({ cache, journal, holdings, fleet, types });
  const endpoints = new TunnelEndpoints({ cache, fleet, ownAddresses: () => [] });
  await feed.load(abort.signal);
  const { count, unknown } = survey.counted();
  await correctUses(store, index, count, unknown);
  await feed.follow(abort.signal, (error) => errors.push(error.message));
  const running: Running = runControllers({
    context: {
      store,
      cache,
      read: cache,
      fleet,
      journal,
      index,
      lane: new AllocationLane(store, index, feed),
      holdings,
      liveness: new HostLiveness(fleet, ambient.clock),
      userData: new UserData(Buffer.alloc(32)),
      drifts: new SharedDrifts(),
      events: new EventRing({ ambient }),
      endpoints,
      limits: { ...defaultServerLimits, ...options.limits },
      ambient,
      audit: options.audit,
      git: options.git?.({ store, ambient, limits: { ...defaultServerLimits, ...options.limits } }),
    },
    survey,
    kinds,
    onBreach: (what) => breaches.push(what),
    onError: (controller, key, error) => errors.push(`${controller} ${key}: ${error.reason}: ${error.message}`),
  });

  const keyOf = (kindName: string, name: string) => {
    const kind = kindByName(kindName)!;
    return keys.object(kind.plural, kind.scope === 'Namespaced' ? 'default' : undefined, name);
  };
  const until: Rig['until'] = (kind, name, test) => {
    const key = keyOf(kind, name);
    return new Promise((resolve) => {
      const look = () => {
        const object = cache.get(key)?.object;
        if (!test(object)) return false;
        end();
        resolve(object);
        return true;
      };
      const end = cache.onChange((change) => change.key === key && look());
      look();
    });
  };
  const edit: Rig['edit'] = async (kind, name, change) => {
    const entry = (await store.get(keyOf(kind, name)))!;
    const object = decodeObject(entry);
    const spec = JSON.stringify(object.spec);
    change(object);
    if (JSON.stringify(object.spec) !== spec) object.metadata.generation++;
    await store.commit({
      preconditions: [{ key: entry.key, revision: entry.revision }],
      ops: [{ type: 'put', key: entry.key, value: encodeObject(object) }],
    });
  };

  return {
    store,
    fleet,
    cache,
    errors,
    context: running.context,
    until,
    edit,
    async create(kindName, name, spec, metadata = {}) {
      const kind = kindByName(kindName)!;
      const object: PlumbObject = {
        apiVersion: API_GROUP_VERSION,
        kind: kindName,
        metadata: {
          name,
          ...(kind.scope === 'Namespaced' ? { namespace: 'default' } : {}),
          uid: ambient.ids.uid(),
          resourceVersion: '',
          generation: 1,
          creationTimestamp: new Date(ambient.clock.now()).toISOString(),
          finalizers: [`plumb.dev/${kindName.toLowerCase()}`],
          ...metadata,
        },
        spec: spec as Record<string, unknown>,
      };
      const key = keyOf(kindName, name);
      await store.commit({
        preconditions: [{ key, revision: 0 }],
        ops: [{ type: 'put', key, value: encodeObject(object) }],
      });
      return object;
    },
    remove: (kind, name) =>
      edit(kind, name, (o) => {
        o.metadata.deletionTimestamp = new Date(ambient.clock.now()).toISOString();
      }),
    get: (kind, name) => cache.get(keyOf(kind, name))?.object,
    ready: async (kind, name) => (await until(kind, name, (o) => o !== undefined && isReady(o)))!,
    stalled: async (kind, name) => (await until(kind, name, (o) => o !== undefined && isStalled(o)))!,
    gone: async (kind, name) => void (await until(kind, name, (o) => o === undefined)),
    keys: async (prefix) => (await store.list(prefix)).entries.map((e) => e.key).sort(),
    async stop() {
      await running.stop();
      abort.abort();
      if (breaches.length > 0) throw new Error([...new Set(breaches)].join('; '));
    },
  };
}
