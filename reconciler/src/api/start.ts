/** The API server: Kubernetes' conventions over the store. It knows no controller. */
import type { KeyObject } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { type Ambient, everyKind, type KindDefinition, kinds, type PlumbError } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { ensureDefaultPolicy } from '../authorization/bootstrap.ts';
import { keepGathered } from '../authorization/gathered.ts';
import { followPolicy, type Policy } from '../authorization/policy-feed.ts';
import { AccountTokens } from '../pki/account-tokens.ts';
import type { TlsIdentity } from '../pki/identity.ts';
import { localUrl } from '../pki/open.ts';
import type { Tokens } from '../pki/tokens.ts';
import type { EventRing } from '../runtime/events.ts';
import type { Metrics } from '../runtime/metrics.ts';
import { Poisoned } from '../runtime/poisoned.ts';
import { TerraformStates } from '../states/states.ts';
import type { Store } from '../store/store.ts';
import { type AnsweredKind, serveAnswered } from './answered.ts';
import type { Audit } from './audit.ts';
import { Authenticator } from './authenticator.ts';
import type { ApiContext } from './call.ts';
import { crdResource } from './core/crd.ts';
import { ensureDefaultServiceAccounts } from './core/default-service-account.ts';
import { EventStore } from './core/event-store.ts';
import { completeNamespaces, ensureDefaultNamespace, namespaceResource } from './core/namespace.ts';
import { finishNamespaceDeletions } from './core/namespace-delete.ts';
import { NamespaceDeletions } from './core/namespace-deletions.ts';
import { serveReviews } from './core/reviews.ts';
import { tokenSubresource } from './core/token-request.ts';
import { discoveryOf } from './discovery.ts';
import type { AgentPeer } from './door/agent-peer.ts';
import { rangesOf } from './door/origin.ts';
import type { Extension } from './extension.ts';
import { Admission } from './fairness/admission.ts';
import { listen } from './listener.ts';
import { openApiOf } from './openapi.ts';
import type { Wrongs } from './readable.ts';
import { Readiness } from './readiness.ts';
import type { Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import { Router } from './router.ts';
import { serveCore, serveDefinitions, serveKinds } from './served.ts';
import { stateBackend } from './states/backend.ts';
import { withStates } from './states/subresources.ts';
import { versionInfo } from './version.ts';

export interface ApiOptions {
  store: Store;
  ambient: Ambient;
  /** The certificate that is shown; `openPki` gives one. */
  tls: TlsIdentity;
  /** Who may ask; `openPki` gives them. */
  tokens: Pick<Tokens, 'check'>;
  /** Signs the tokens of ServiceAccounts; `openPki` gives it. */
  accountKey: KeyObject;
  listen: { host: string /** 0: any that is free. */; port: number };
  /** What controllers record. */
  events: EventRing;
  /** Who may do what, as far as somebody follows it already; followed until the API ends, if absent. */
  policy?: Policy;
  kinds?: readonly KindDefinition[];
  extensions?: Iterable<Extension>;
  /** What answers requests without a token, by a signature of their own. */
  hook?: (request: ApiRequest) => Promise<Reply | undefined>;
  /** Kinds that are created and answered, and not stored. */
  answered?: readonly AnsweredKind[];
  /** Addresses and CIDR ranges of proxies, whose connections say in PROXY protocol v2 where they come from. */
  trustedProxies?: readonly string[];
  /** Takes over the TLS connections of agents (server name `agents.plumb.internal`). */
  onAgentConnection?: (socket: TLSSocket, peer: AgentPeer) => void;
  /** Told of every write. */
  audit?: Audit;
  /** What `/metrics` shows to who has a token. */
  metrics?: Metrics;
  /** Bounds on what comes from outside; defaults, if absent. */
  limits?: ServerLimits;
  /** What is known to be wrong with objects; every one is looked at whenever it is read, if absent. */
  wrongs?: Wrongs;
  referrers?: ApiContext['referrers'];
  /** Told when the policy cannot be followed any more: the process is to end, and to be started again. */
  onFatal?: (error: PlumbError) => void;
  /** Why the rest of the server is not ready yet, or undefined when it is; for `/readyz`. */
  notReady?: () => string | undefined;
}

export interface Api {
  /** Where clients on this machine reach it. */
  url: string;
  port: number;
  close(): Promise<void>;
}

/** Starts serving. Makes the namespace `default` where it is missing, and ends deletions of others that were cut off. */
export async function startApi(options: ApiOptions): Promise<Api> {
  const { store, ambient } = options;
  const ending = new AbortController();
  await ensureDefaultPolicy(store, ambient);
  const policy = options.policy ?? (await followPolicy(store, ending.signal, options.onFatal ?? (() => {})));
  await policy.upToDate();
  const context: ApiContext = {
    ambient,
    access: policy.index,
    limits: options.limits ?? defaultServerLimits,
    wrongs: options.wrongs ?? new Poisoned(),
    ...(options.referrers ? { referrers: options.referrers } : {}),
    ending: ending.signal,
  };
  await ensureDefaultNamespace(store, ambient);
  await finishNamespaceDeletions(context, namespaceResource(store));
  await completeNamespaces(store);
  await ensureDefaultServiceAccounts(store, ambient);
  keepGathered(store, policy, ambient.clock, ending.signal);
  const accountTokens = new AccountTokens(options.accountKey, ambient, policy.accounts);
  const who = new Authenticator(options.tokens, accountTokens);
  const token = tokenSubresource(context, store, accountTokens, () => policy.upToDate());
  const events = new EventStore(options.events, store);
  const states = new TerraformStates({ store, ambient, limits: context.limits });
  const served = [
    ...serveCore(context, store, events),
    ...serveKinds(context, store, options.kinds ?? everyKind).map((kind) =>
      kind.names.plural === 'serviceaccounts' ? { ...kind, subresources: { token } } : withStates(kind, states),
    ),
    ...serveReviews(policy.index, (token, audiences) => who.lookAt(token, audiences)),
    ...(options.answered ?? []).map((kind) => serveAnswered(kind, policy.index)),
    serveDefinitions(context, await crdResource(kinds, ambient)),
  ];
  const router = new Router({
    served,
    discovery: discoveryOf(served),
    openApi: openApiOf(served),
    readiness: new Readiness(context, store, options.notReady),
    tokens: who,
    access: policy.index,
    admission: new Admission(ambient, context.limits, options.metrics),
    extensions: options.extensions ?? [],
    hook: options.hook,
    states: stateBackend(context, store, states),
    audit: options.audit,
    version: versionInfo(),
    limits: context.limits,
    metrics: options.metrics,
  });
  const { onAgentConnection, metrics } = options;
  const listener = await listen({
    ...options.listen,
    ...{
      identity: options.tls,
      clock: ambient.clock,
      random: ambient.random,
      limits: context.limits,
      onAgentConnection,
      metrics,
    },
    isTrustedProxy: rangesOf(options.trustedProxies ?? [], '--trusted-proxy'),
    answer: (request) => router.answer(request),
  }).catch((error) => {
    ending.abort();
    void events.close();
    throw error;
  });
  await new NamespaceDeletions(store, context, ending.signal, events).start();
  return {
    url: localUrl(options.listen.host, listener.port),
    port: listener.port,
    async close() {
      ending.abort();
      await listener.close();
      await events.close();
    },
  };
}
