/** What runs in a control plane apart from its edges: fleet, caches and controllers over a store. */
import { networkInterfaces } from 'node:os';
import type { Ambient, PlumbError } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { AllocationIndex } from './allocation/allocation-index.ts';
import { Holdings } from './allocation/holdings.ts';
import { AllocationLane } from './allocation/lane.ts';
import { correctUses } from './allocation/recount.ts';
import type { OnBreach } from './controllers/bounds.ts';
import type { Context } from './controllers/controller.ts';
import { Survey } from './controllers/first-look.ts';
import { followHeld } from './controllers/held.ts';
import { registerHost } from './controllers/host/register.ts';
import { TunnelEndpoints } from './controllers/host/tunnel-endpoints.ts';
import { kindModules } from './controllers/index.ts';
import { ScanWatch } from './controllers/instance/scan-watch.ts';
import { holdingTypesOf } from './controllers/kind-module.ts';
import { lookAtRecords } from './controllers/records.ts';
import { runControllers } from './controllers/run.ts';
import { SharedDrifts } from './controllers/shared-drift.ts';
import { FleetServer, type FleetServerOptions } from './fleet/fleet-server.ts';
import { HostLiveness } from './fleet/liveness.ts';
import { nextTerm } from './fleet/term.ts';
import { Journal } from './flow/journal.ts';
import type { Log } from './log.ts';
import { ObjectCache } from './runtime/cache.ts';
import type { EventRecorder } from './runtime/events.ts';
import { GarbageCollector } from './runtime/garbage.ts';
import type { Metrics } from './runtime/metrics.ts';
import { PendingCreates } from './runtime/pending-creates.ts';
import { Poisoned } from './runtime/poisoned.ts';
import { StoreFeed } from './runtime/store-feed.ts';
import { UserData } from './runtime/user-data.ts';
import type { WorkNotes } from './runtime/work-notes.ts';
import { nameOfKey } from './store/keys.ts';
import type { Store } from './store/store.ts';

export interface ControlOptions {
  store: Store;
  ambient: Ambient;
  events: EventRecorder;
  /** Whether an agent that presents this secret may join. */
  mayJoin: FleetServerOptions['mayJoin'];
  /** How agents reach it; gRPC, if absent. */
  endpoint?: FleetServerOptions['endpoint'];
  metrics?: Metrics;
  /** Bounds on what comes from outside; defaults, if absent. */
  limits?: ServerLimits;
  /** How repositories are looked at; they are not, if absent. */
  git?: Context['git'];
  /** Addresses of the machine on which it runs; asked for anew each time. */
  ownAddresses?: () => readonly string[];
  log: Log;
  /** Told of what is written to objects because a person asked for it otherwise than by a request for each. */
  audit?: Context['audit'];
  /** Gathers what is wrong with what the store holds. */
  poisoned?: Poisoned;
  /** What is worked on, for the next process. */
  notes?: WorkNotes;
  /** Gives up what is being loaded. */
  signal?: AbortSignal;
  /** For tests: told of a kind that reads or wakes what it does not declare. */
  onBreach?: OnBreach;
  /** Told when it cannot go on: its process is to end, and to be started again. */
  onFatal: (error: PlumbError) => void;
  /** Secret, and the same after each start: by it user data is hashed that lies in Secrets. Zeros, if absent. */
  hashKey?: Buffer;
}

export interface Control {
  fleet: FleetServer;
  context: Context;
  scans: ScanWatch;
  /** Starts nothing more and resolves when what runs has ended. */
  stop(): Promise<void>;
}

/** How long commands that are under way may take at the end. */
const STOP_MS = 5_000;

/**
 * Starts it all; resolves when everything is loaded and the controllers are at work. The store may be written to meanwhile,
 * but for what only controllers write. When it rejects, nothing of it runs on.
 */
export async function startControl(options: ControlOptions): Promise<Control> {
  const { store, ambient, events, mayJoin, endpoint, metrics, log, signal, onFatal } = options;
  const { limits = defaultServerLimits, ownAddresses = realAddresses, notes } = options;
  await using begun = new AsyncDisposableStack();
  const userData = new UserData(options.hashKey ?? Buffer.alloc(32));
  const poisoned = options.poisoned ?? new Poisoned();
  const cache = new ObjectCache(store, poisoned, notes);
  const fleet = new FleetServer({
    ...{ store, ambient, mayJoin, endpoint, log, metrics, limits },
    term: await nextTerm(store, ambient),
    register: (host, zone) => registerHost({ store, ambient }, host, zone),
    join: (resource) => userData.join(cache, resource),
  });
  begun.defer(() => fleet.close());
  const watching = new AbortController();
  begun.defer(() => watching.abort());
  signal?.addEventListener('abort', () => watching.abort(), { once: true });
  if (metrics) poisoned.publish(metrics);
  const types = holdingTypesOf(kindModules);
  const journal = new Journal(store, types, poisoned);
  const index = new AllocationIndex(poisoned, () => ambient.random.next());
  const holdings = new Holdings();
  const feed = new StoreFeed(store, [journal, cache, index]);
  cache.join(feed);
  followHeld({ cache, journal, holdings, feed, types });
  const survey = new Survey({ cache, journal, holdings, fleet, types });
  const endpoints = new TunnelEndpoints({ cache, fleet, ownAddresses });
  await feed.load(watching.signal);
  const { count, unknown } = survey.counted();
  for (const host of await correctUses(store, index, count, unknown))
    log('warn', `what is handed out on host ${host} was counted anew from what instances hold: its record was wrong`);
  await feed.follow(watching.signal, onFatal);
  await lookAtRecords(store, poisoned);
  if (poisoned.objects + poisoned.records > 0)
    log(
      'warn',
      `${poisoned.objects} objects and ${poisoned.records} other records were set aside: plumb get poisoned says why`,
    );
  const controllers = runControllers({
    context: {
      ...{
        store,
        cache,
        read: cache,
        fleet,
        index,
        events,
        ambient,
        journal,
        holdings,
        endpoints,
        limits,
        audit: options.audit,
        git: options.git,
      },
      lane: new AllocationLane(store, index, feed),
      liveness: new HostLiveness(fleet, ambient.clock),
      userData,
      drifts: new SharedDrifts(),
    },
    survey,
    onBreach: options.onBreach,
    metrics,
    notes,
    onError: (controller, key, error) =>
      log('warn', `${controller} ${nameOfKey(key)}: ${error.reason}: ${error.message}`),
  });
  const pending = new PendingCreates({
    ...{ store, clock: ambient.clock, limits },
    onTaken: (key, { user }) =>
      log('info', `${nameOfKey(key)} is deleted: ${user} was making it and is silent, so that nobody knows of it`),
    onError: (key, error) => log('warn', `what is being made, ${nameOfKey(key)}: ${error.reason}: ${error.message}`),
  });
  pending.start(watching.signal);
  const garbage = new GarbageCollector({
    ...{ store, clock: ambient.clock },
    onSeen: (key, text) => pending.note(key, text),
    onError: (key, error) => log('warn', `what is owned, ${nameOfKey(key)}: ${error.reason}: ${error.message}`),
  });
  await garbage.start(watching.signal);
  const scans = new ScanWatch(controllers.context);
  if (metrics) scans.publish(metrics);
  begun.move();
  return {
    fleet,
    context: controllers.context,
    scans,
    async stop() {
      scans.stop();
      const stopped = controllers.stop();
      // What hosts are asked for may take longer than anybody waits for the end; it is asked for again at the next start.
      const giveUp = ambient.clock.after(STOP_MS, () => fleet.close());
      await stopped;
      giveUp();
      fleet.close();
      watching.abort();
    },
  };
}

function realAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((addresses) => addresses?.map(({ address }) => address) ?? []);
}
