/** The API server: Kubernetes' conventions over the store. It knows no controller. */
import type { TLSSocket } from 'node:tls';
import { type Ambient, kinds as allKinds, type KindDefinition, retryable } from '@plumb/schemas';
import { localUrl, type TlsIdentity } from '../pki/open.ts';
import type { Tokens } from '../pki/tokens.ts';
import type { EventRing } from '../runtime/events.ts';
import type { Store } from '../store/store.ts';
import type { ApiContext } from './call.ts';
import { eventEntries } from './core/event-entries.ts';
import { ensureDefaultNamespace } from './core/namespace.ts';
import { serveReviews } from './core/reviews.ts';
import { discoveryOf } from './discovery.ts';
import type { Extension } from './extension.ts';
import { listen } from './listener.ts';
import { openApiOf } from './openapi.ts';
import { Readiness } from './readiness.ts';
import type { Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import { Router } from './router.ts';
import { serveCore, serveKinds } from './served.ts';
import { versionInfo } from './version.ts';

export interface ApiOptions {
  store: Store;
  ambient: Ambient;
  /** The certificate that is shown; `openPki` gives one. */
  tls: TlsIdentity;
  /** Who may ask; `openPki` gives them. */
  tokens: Pick<Tokens, 'check'>;
  listen: { host: string /** 0: any that is free. */; port: number };
  /** What controllers record. */
  events: EventRing;
  kinds?: readonly KindDefinition[];
  extensions?: readonly Extension[];
  /** Takes over the TLS connections of agents (server name `agents.plumb.internal`). */
  onAgentConnection?: (socket: TLSSocket) => void;
  /** What `/metrics` shows to who has a token. */
  metrics?: { contentType: string; text(): Promise<string> };
  /** Requests at work at the same time, watches not counted; beyond it clients are told to come back. Default 4000. */
  maxInFlight?: number;
  /** Why the rest of the server is not ready yet, or undefined when it is; for `/readyz`. */
  notReady?: () => string | undefined;
}

export interface Api {
  /** Where clients on this machine reach it. */
  url: string;
  port: number;
  close(): Promise<void>;
}

const MAX_IN_FLIGHT = 4000;

/** Starts serving. Makes the namespace `default` where it is missing. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { store, ambient } = options;
  const context: ApiContext = { ambient };
  await ensureDefaultNamespace(store, ambient);
  const events = eventEntries(options.events);
  const served = [
    ...serveCore(context, store, events.store),
    ...serveKinds(context, store, options.kinds ?? allKinds),
    ...serveReviews(),
  ];
  const router = new Router({
    served,
    discovery: discoveryOf(served),
    openApi: openApiOf(served),
    readiness: new Readiness(context, store, options.notReady),
    tokens: options.tokens,
    extensions: options.extensions ?? [],
    version: versionInfo(),
    metrics: options.metrics,
  });
  const answer = bounded(options.maxInFlight ?? MAX_IN_FLIGHT, router);
  const { onAgentConnection } = options;
  const listener = await listen({ ...options.listen, identity: options.tls, onAgentConnection, answer }).catch(
    async (error) => {
      await events.close();
      throw error;
    },
  );
  return {
    url: localUrl(options.listen.host, listener.port),
    port: listener.port,
    async close() {
      await listener.close();
      await events.close();
    },
  };
}

function bounded(limit: number, router: Router): (request: ApiRequest) => Promise<Reply> {
  let inFlight = 0;
  return async (request) => {
    if (inFlight >= limit) {
      return router.refuse(retryable('TooManyRequests', 'the server is busy: try again in a second'));
    }
    inFlight++;
    try {
      return await router.answer(request);
    } finally {
      inFlight--;
    }
  };
}
