/** The real API over a store in memory, and the least that a controller can be: it says what a test tells it to say. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Api as ServedApi, startApi } from '@plumb/reconciler/api/start.ts';
import { joinTokenExtensions } from '@plumb/reconciler/extensions/join-tokens.ts';
import { JoinTokens } from '@plumb/reconciler/fleet/join-tokens.ts';
import { openPki, type Pki } from '@plumb/reconciler/pki/open.ts';
import { EventRing } from '@plumb/reconciler/runtime/events.ts';
import { ConflictError } from '@plumb/reconciler/store/errors.ts';
import { keys, pluralOf } from '@plumb/reconciler/store/keys.ts';
import { MemoryStore } from '@plumb/reconciler/store/memory.ts';
import { decodeObject, encodeObject, removalOps } from '@plumb/reconciler/store/object-codec.ts';
import { type Condition, kinds, type PlumbObject, realAmbient } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import { Api } from '../harness/api.ts';

/** What the controller says of an object. */
export interface Word {
  ready: boolean;
  reason: string;
  message: string;
  stalled?: boolean;
  /** Leaves of status beside the conditions. */
  leaves?: Record<string, unknown>;
}

export const fine: Word = { ready: true, reason: 'Ready', message: 'It is as declared.' };

const FINALIZER = 'plumb.dev/test';
const plurals = new Set(kinds.map((kind) => kind.plural));

export class Control {
  /** What is said of an object; undefined: nothing yet. */
  say: (object: PlumbObject) => Word | undefined = () => fine;
  /** Why a deleted object must stay; undefined: it may go. */
  blocks: (object: PlumbObject) => string | undefined = () => undefined;
  readonly #folder = mkdtempSync(join(tmpdir(), 'plumb-control-'));
  readonly #store = new MemoryStore();
  readonly #ambient = realAmbient();
  readonly #ended = new AbortController();
  #pki!: Pki;
  #served!: ServedApi;
  #client!: Api;
  readonly #waiting: { kind: string; name: string; dying?: true; resolve: () => void }[] = [];

  static async start(): Promise<Control> {
    const control = new Control();
    const { dataDir, store, ambient } = { dataDir: control.#folder, store: control.#store, ambient: control.#ambient };
    control.#pki = await openPki({ dataDir, store, ambient, host: '127.0.0.1' });
    await control.#serve(0);
    await control.#pki.writeKubeconfig(control.#served.url);
    control.#client = new Api(control.kubeconfig);
    void control.#run();
    return control;
  }

  get kubeconfig(): string {
    return this.#pki.kubeconfigFile;
  }

  get url(): string {
    return this.#served.url;
  }

  /** PEM. */
  get authority(): string {
    return this.#pki.authority;
  }

  /** The administrator's. */
  get token(): string {
    return /token: (\S+)/.exec(readFileSync(this.kubeconfig, 'utf8'))![1]!;
  }

  /** Resolves when the controller has seen the object. */
  seen(kind: string, name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ kind, name, resolve });
    });
  }

  /** Resolves when the controller has seen that the object is marked for deletion. */
  dying(kind: string, name: string): Promise<void> {
    return new Promise((resolve) => {
      this.#waiting.push({ kind, name, dying: true, resolve });
    });
  }

  /** As an administrator with kubectl would do it. */
  get api(): Api {
    return this.#client;
  }

  /** The API goes away, as when the server is killed; the store stays. The returned function brings it back. */
  async vanish(): Promise<() => Promise<void>> {
    const { port } = this.#served;
    await this.#served.close();
    return () => this.#serve(port);
  }

  /** Looks at every object again, after what is said has changed. */
  async look(): Promise<void> {
    const { entries } = await this.#store.list(keys.objects);
    for (const { key } of entries) await this.#reconcile(key);
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#served.close();
    this.#pki.close();
    await this.#store.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #serve(port: number): Promise<void> {
    const { tls, tokens, accountKey } = this.#pki;
    const events = new EventRing({ ambient: this.#ambient });
    const joins = new JoinTokens({ store: this.#store, ambient: this.#ambient, limits: defaultServerLimits });
    const extensions = joinTokenExtensions(joins, () => '0'.repeat(64));
    const listen = { host: '127.0.0.1', port };
    this.#served = await startApi({
      ...{ store: this.#store, ambient: this.#ambient, tls, tokens, accountKey, listen, events, extensions },
    });
  }

  async #run(): Promise<void> {
    const { signal } = this.#ended;
    try {
      for await (const { changes } of this.#store.watch(keys.objects, this.#store.revision(), signal)) {
        for (const { key } of changes) await this.#reconcile(key);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #reconcile(key: string): Promise<void> {
    const plural = pluralOf(key);
    const entry = await this.#store.get(key);
    if (!entry || !plurals.has(plural)) return;
    const object = decodeObject(entry);
    const deleting = object.metadata.deletionTimestamp !== undefined;
    for (const { kind, name, dying = false, resolve } of this.#waiting) {
      if (kind === object.kind && name === object.metadata.name && (deleting || !dying)) resolve();
    }
    const blocked = this.blocks(object);
    const gone = object.metadata.deletionTimestamp !== undefined && blocked === undefined;
    const value = encodeObject({ ...object, ...this.#after(object, blocked) });
    if (!gone && value === entry.value) return;
    const preconditions = [{ key, revision: entry.revision }];
    const ops = gone ? removalOps(key, object, this.#ambient.clock.now()) : [{ type: 'put' as const, key, value }];
    try {
      await this.#store.commit({ preconditions, ops });
    } catch (error) {
      // Someone else changed it, and that change is seen next.
      if (!(error instanceof ConflictError)) throw error;
    }
  }

  #after(object: PlumbObject, blocked: string | undefined): Partial<PlumbObject> {
    const metadata = { ...object.metadata, finalizers: [FINALIZER] };
    const deleting = object.metadata.deletionTimestamp !== undefined;
    const word = deleting ? { ready: false, reason: 'InUse', message: blocked ?? '' } : this.say(object);
    if (!word) return { metadata };
    const conditions = [condition(object, 'Ready', word.ready, word)];
    if ('stalled' in word && word.stalled) conditions.push(condition(object, 'Stalled', true, word));
    const leaves = 'leaves' in word ? word.leaves : {};
    return { metadata, status: { ...leaves, conditions, observedGeneration: object.metadata.generation } };
  }
}

function condition(object: PlumbObject, type: string, holds: boolean, { reason, message }: Word): Condition {
  return {
    type,
    status: holds ? 'True' : 'False',
    reason,
    message,
    observedGeneration: object.metadata.generation,
    lastTransitionTime: object.metadata.creationTimestamp,
  };
}
