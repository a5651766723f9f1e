/** The composition root: everything that runs in a control plane, listed in one place. Imported by nobody but bin/. */

import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { type Ambient, type PlumbError, realAmbient } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { SourceRulesInit } from '@plumb/schemas/sources/source-rules.ts';
import { FETCH_USER, findUser } from '@plumb/schemas/sources/users.ts';
import manifest from '../package.json' with { type: 'json' };
import { type Audit, auditLine } from './api/audit.ts';
import type { AgentPeer } from './api/door/agent-peer.ts';
import { startApi } from './api/start.ts';
import { followPolicy } from './authorization/policy-feed.ts';
import { type Control, startControl } from './control.ts';
import { livingReferrers } from './controllers/references.ts';
import { openDataFolder } from './data-folder.ts';
import { openHashKey, openSealed } from './encryption.ts';
import { everyExtension } from './extensions/every.ts';
import { gitDoor } from './extensions/git-door.ts';
import { gitHook } from './extensions/git-hook.ts';
import { planReviews } from './extensions/plan-review.ts';
import { looker } from './git/looker.ts';
import { type Log, stderrLog } from './log.ts';
import { openPki } from './pki/open.ts';
import { collectGarbage } from './runtime/collect.ts';
import { EventRing } from './runtime/events.ts';
import { Loading } from './runtime/loading.ts';
import { Metrics, readProcess } from './runtime/metrics.ts';
import { Poisoned } from './runtime/poisoned.ts';
import { WorkNotes } from './runtime/work-notes.ts';
import { DEFAULT_RETENTION } from './store/retention.ts';
import { SqliteStore } from './store/sqlite.ts';

export interface ServeOptions {
  /** Holds everything that must outlive the process; made if it is not there. */
  dataDir: string;
  /** Address and port to listen on, for the API and the agents. */
  listen: { host: string; port: number };
  /** Addresses and CIDR ranges of proxies, whose connections say in PROXY protocol v2 where they come from. */
  trustedProxies?: readonly string[];
  /** Keys by which secrets are encrypted in the store; a file in the data folder that is made at the first start, if absent. */
  encryptionKeyFile?: string | undefined;
  /** From where repositories are fetched. */
  gitRules?: SourceRulesInit;
  /** The program kustomize; repositories with a kustomization are refused, if absent. */
  kustomize?: string | undefined;
  /** Bounds on what comes from outside; defaults, if absent. */
  limits?: ServerLimits;
  ambient?: Ambient;
  log?: Log;
  /** Told when the control plane cannot go on: its process is to end, and to be started again. */
  onFatal: (error: PlumbError) => void;
  /** Told what to call when an exception that nothing catches ends the process: the next one is to know what it worked on. */
  onCrash?: (crashed: () => void) => void;
  /** Told once, when everything is loaded and the controllers are at work. */
  onReady?: () => void;
}

export interface ControlPlane {
  url: string;
  kubeconfigFile: string;
  /** Undefined where others reach the server: then `plumb join-token create` makes tokens. */
  joinTokenFile: string | undefined;
  close(): Promise<void>;
}

/**
 * Starts a control plane and resolves when it serves: everything can be read and written. What is written is durable then, and
 * looked at when what the store holds is loaded; until then agents and whoever asks for a plan wait, and `/readyz` says so.
 * Throws PlumbError `DataFolderInUse` (terminal) when another one uses the data folder, or `CannotListen`; nothing of it
 * runs on then.
 */
export async function serve(options: ServeOptions): Promise<ControlPlane> {
  const { listen, onFatal, onReady = () => {}, limits = defaultServerLimits } = options;
  const ambient = options.ambient ?? realAmbient();
  const log = options.log ?? stderrLog(ambient.clock.now, limits);
  const dataDir = openDataFolder(options.dataDir, (line) => log('warn', line));

  // Undone in reverse at the end, and when a later part cannot start: what runs on would hold the data folder.
  await using started = new AsyncDisposableStack();
  const metrics = new Metrics();
  readProcess(metrics);
  const disk = SqliteStore.open(join(dataDir, 'store'), {
    clock: ambient.clock,
    retention: {
      ...DEFAULT_RETENTION,
      maxRevisions: limits.historyRevisions,
      maxAgeMs: limits.historySeconds * 1000,
    },
    watchBuffer: limits.watchCommitsBehind,
    onBroken: onFatal,
  });
  started.defer(() => disk.close());
  disk.publish(metrics);
  const store = await openSealed(disk, { dataDir, keyFile: options.encryptionKeyFile, log });
  const hashKey = await openHashKey(store, log);
  const pki = await openPki({ dataDir, store, ambient, host: listen.host, log: (line) => log('warn', line) });
  started.defer(() => pki.close());
  const events = new EventRing({
    ...{ ambient, capacity: limits.eventsKept },
    ...{ postedBytes: limits.postedEventBytes, keptSeconds: limits.eventSeconds },
  });

  const audit: Audit = (write) => log('info', auditLine(write));
  const { mayJoin } = pki;
  const poisoned = new Poisoned();
  const notes = new WorkNotes({ folder: dataDir, version: manifest.version, clock: ambient.clock });
  started.defer(() => notes.close());
  options.onCrash?.(() => notes.crashed());
  const following = new AbortController();
  started.defer(() => following.abort());
  const policy = await followPolicy(store, following.signal, onFatal);
  const { gitRules = {}, kustomize } = options;
  const user = () => findUser(FETCH_USER);
  const look = looker({ rules: gitRules, limits, user, kustomize, clock: ambient.clock });
  const git = gitDoor({ store, ambient, limits, policy, look });
  const parts = { store, ambient, events, mayJoin, metrics, log, audit, limits, poisoned, notes, git, hashKey };
  const control = new Loading((signal) => startControl({ ...parts, signal, onFatal }), onFatal);
  started.defer(() => control.end((running) => running.stop()));
  const api = await startApi({
    store,
    ambient,
    policy,
    tls: pki.tls,
    tokens: pki.tokens,
    accountKey: pki.accountKey,
    listen,
    limits,
    wrongs: poisoned,
    referrers: (key, revision) => livingReferrers(control.get().context, key, revision),
    events,
    metrics,
    audit,
    trustedProxies: options.trustedProxies ?? [],
    onAgentConnection: (socket, peer) => attach(control, socket, peer),
    extensions: { [Symbol.iterator]: () => everyExtension(pki, ambient.clock.now, limits, () => control.get()) },
    hook: gitHook(() => control.get().context),
    answered: [planReviews(() => control.get().context)],
    notReady: () => control.missing,
    onFatal,
  });
  started.defer(() => api.close());
  const kubeconfigFile = await pki.writeKubeconfig(api.url);

  control.whenLoaded(() => {
    collectGarbage();
    onReady();
  });
  const running = started.move();
  return {
    url: api.url,
    kubeconfigFile,
    joinTokenFile: pki.joinTokenFile,
    close: () => running.disposeAsync(),
  };
}

/** An agent that dials in while the server loads waits: what it would tell could not be understood yet. */
function attach(control: Loading<Control>, socket: TLSSocket, peer: AgentPeer): void {
  // It may be gone before; nobody else listens yet.
  socket.on('error', () => {});
  const ready = peer.park();
  control.whenLoaded(({ fleet }) => {
    ready();
    if (!socket.destroyed) fleet.attachConnection(socket, peer);
  });
}
