/** One life of the control plane: everything real but the disk, the network and the clock. */
import type { Handler } from '@plumb/reconciler/api/call.ts';
import { ensureDefaultServiceAccounts } from '@plumb/reconciler/api/core/default-service-account.ts';
import { ensureDefaultNamespace, namespaceResource } from '@plumb/reconciler/api/core/namespace.ts';
import { finishNamespaceDeletions } from '@plumb/reconciler/api/core/namespace-delete.ts';
import { NamespaceDeletions } from '@plumb/reconciler/api/core/namespace-deletions.ts';
import type { Extension } from '@plumb/reconciler/api/extension.ts';
import { Admission } from '@plumb/reconciler/api/fairness/admission.ts';
import { Readiness } from '@plumb/reconciler/api/readiness.ts';
import { ApiRequest } from '@plumb/reconciler/api/request.ts';
import { Router } from '@plumb/reconciler/api/router.ts';
import { serveCore, serveKinds } from '@plumb/reconciler/api/served.ts';
import { stateBackend } from '@plumb/reconciler/api/states/backend.ts';
import { PolicyIndex } from '@plumb/reconciler/authorization/policy-index.ts';
import { type Control, startControl } from '@plumb/reconciler/control.ts';
import { cascadeExtension } from '@plumb/reconciler/extensions/cascades.ts';
import { driftScanExtension } from '@plumb/reconciler/extensions/drift-scans.ts';
import { fenceExtension } from '@plumb/reconciler/extensions/fences.ts';
import { flowExtensions } from '@plumb/reconciler/extensions/flows.ts';
import { poisonedExtensions } from '@plumb/reconciler/extensions/poisoned.ts';
import type { EndpointHandlers } from '@plumb/reconciler/fleet/fleet-endpoint.ts';
import { EventRing } from '@plumb/reconciler/runtime/events.ts';
import { Loading } from '@plumb/reconciler/runtime/loading.ts';
import { Poisoned } from '@plumb/reconciler/runtime/poisoned.ts';
import { TerraformStates } from '@plumb/reconciler/states/states.ts';
import type { Store } from '@plumb/reconciler/store/store.ts';
import { everyKind } from '@plumb/schemas';
import { defaultServerLimits } from '@plumb/schemas/limits/server.ts';
import type { SimProcess } from '../core/process.ts';

export type { Handler };

export interface Answer {
  code: number;
  body: unknown;
}

export interface ControlProcessOptions {
  process: SimProcess;
  store: Store;
  joinSecret: string;
  /** Whether it takes its time to load what the store holds. */
  isSlow: boolean;
  log(line: string): void;
  onFatal(why: string): void;
  /** Agents may dial in. */
  onListening(handlers: EndpointHandlers): void;
}

export class ControlProcess {
  readonly process: SimProcess;
  control: Control | undefined;
  readonly #options: ControlProcessOptions;
  #router: Router | undefined;

  constructor(options: ControlProcessOptions) {
    this.#options = options;
    this.process = options.process;
    this.#start().catch((error: Error) => options.onFatal(error.message));
  }

  get serves(): boolean {
    return this.#router !== undefined;
  }

  /** As `serve` in the product's main.ts: the API answers while what the store holds is still being loaded. */
  async #start(): Promise<void> {
    const { process, store, joinSecret, isSlow, log, onFatal, onListening } = this.#options;
    const { ambient } = process;
    const events = new EventRing({ ambient });
    const poisoned = new Poisoned();
    let handlers: EndpointHandlers | undefined;
    const loading = new Loading(
      (signal) =>
        startControl({
          ...{ store: isSlow ? slowToLoad(store, process) : store, ambient, events, poisoned, signal },
          mayJoin: (presented) => presented === joinSecret,
          endpoint: (given) => {
            handlers = given;
            return { traffic: noTraffic(), take() {}, close() {} };
          },
          log: (level, message) => log(`${level} ${message}`),
          onFatal: (error) => onFatal(error.message),
          onBreach: onFatal,
        }),
      (error) => onFatal(error.message),
    );
    const access = new PolicyIndex();
    const context = { ambient, limits: defaultServerLimits, wrongs: poisoned, access };
    await ensureDefaultNamespace(store, ambient);
    await finishNamespaceDeletions(context, namespaceResource(store));
    await ensureDefaultServiceAccounts(store, ambient);
    const ending = new AbortController();
    process.onEnd(() => ending.abort());
    await new NamespaceDeletions(store, context, ending.signal).start();
    this.#router = new Router({
      served: [...serveCore(context, store, store), ...serveKinds(context, store, everyKind)],
      discovery: new Map(),
      openApi: () => undefined,
      readiness: new Readiness(context, store),
      tokens: { check: () => ({ name: 'admin', groups: ['system:masters'] }) },
      access,
      admission: new Admission(ambient, context.limits),
      extensions: { [Symbol.iterator]: () => extensionsOf(loading.get()) },
      states: stateBackend(context, store, new TerraformStates({ store, ...context })),
      version: {},
    });
    loading.whenLoaded((control) => {
      this.control = control;
      onListening(handlers!);
    });
  }

  /** Never comes back when the process ends meanwhile. */
  async answer(method: string, path: string, body?: unknown): Promise<Answer> {
    const { clock } = this.process.ambient;
    const incoming = {
      method,
      url: path,
      headers: { authorization: 'Bearer token', 'content-type': contentType(method) },
      async *[Symbol.asyncIterator]() {
        if (body !== undefined) yield Buffer.from(JSON.stringify(body));
      },
      destroy() {},
    };
    const reply = await this.process.whileAlive(
      this.#router!.answer(new ApiRequest(incoming, new AbortController().signal, { source: LOCAL, clock })),
    );
    const { body: answered } = reply;
    const isWhole = typeof answered === 'string' || Buffer.isBuffer(answered);
    const text = isWhole
      ? answered.toString()
      : await this.process.whileAlive(whole(answered as AsyncIterable<string>));
    reply.done?.();
    return { code: reply.status, body: text.startsWith('{') ? JSON.parse(text) : text };
  }
}

function* extensionsOf({ context, scans }: Control): Generator<Extension> {
  yield* poisonedExtensions(context);
  yield fenceExtension(context);
  yield* flowExtensions(context);
  yield cascadeExtension(context);
  yield driftScanExtension(scans, context.limits);
}

/** Each page of what is loaded takes as long as a thousand of them, and what is written meanwhile is not in it. */
function slowToLoad(store: Store, process: SimProcess): Store {
  const dice = process.dice.fork('loading');
  let loads = true;
  const list: Store['list'] = async (prefix, options) => {
    const page = await store.list(prefix, options);
    if (loads) await process.pause(dice.between(1, SLOW_PAGE_MS));
    if (prefix.startsWith('/alloc/') && !page.more) loads = false;
    return page;
  };
  return new Proxy(store, {
    get: (target, name) => {
      if (name === 'list') return list;
      const value = Reflect.get(target, name) as unknown;
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** Milliseconds. */
const SLOW_PAGE_MS = 400;

/** A long list comes in parts. */
async function whole(parts: AsyncIterable<string>): Promise<string> {
  let text = '';
  for await (const part of parts) text += part;
  return text;
}

/** Whoever asks is on this machine. */
const LOCAL = { address: '127.0.0.1' };

function contentType(method: string): string {
  return method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
}

function noTraffic() {
  return { bytesReceived: 0, bytesSent: 0, messagesReceived: 0, messagesSent: 0 };
}
