/** From a request to its reply: who asks, what for, and which handler knows. */
import { API_GROUP, PlumbError, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { User } from '../pki/tokens.ts';
import { attributesOf } from './attributes.ts';
import { type Audit, type Audited, auditRequest } from './audit.ts';
import { type Access, authorize, Forbidden } from './authorize.ts';
import type { Call } from './call.ts';
import type { Discovery } from './discovery.ts';
import { encoded } from './encoded.ts';
import { type Extension, extend, judgesItself } from './extension.ts';
import { type About, badRequest, notFound, ServerResponse, statusOf, TooNew } from './failure.ts';
import type { Admission } from './fairness/admission.ts';
import type { Asked } from './fairness/demand.ts';
import { health } from './health.ts';
import { impersonated } from './impersonate.ts';
import { checkTimeout, flagOf } from './list-options.ts';
import { OBJECT_TYPES, STREAM_TYPES } from './media.ts';
import type { OpenApi } from './openapi.ts';
import { refuseNearlyDryRun } from './options.ts';
import { mediaOf } from './presentation.ts';
import type { Readiness } from './readiness.ts';
import { JSON_TYPE, json, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import type { Verb } from './resource.ts';
import type { Served } from './served.ts';
import type { StateBackend } from './states/backend.ts';
import { askedOfState, auditedState, isOfTerraform, passwordOf, stateLimits } from './states/paths.ts';

export interface Routes {
  served: readonly Served[];
  discovery: Discovery;
  openApi: OpenApi;
  readiness: Readiness;
  /** Whose token it is. */
  tokens: { check(secret: string): User | undefined };
  access: Access;
  admission: Pick<Admission, 'run'>;
  extensions: Iterable<Extension>;
  /** What answers requests without a token, by a signature of their own; undefined for what it does not know. */
  hook?: ((request: ApiRequest) => Promise<Reply | undefined>) | undefined;
  /** Answers every path of Terraform's http backend. */
  states: StateBackend;
  version: Record<string, string>;
  /** Bounds on requests; the defaults, if absent. */
  limits?: ServerLimits;
  /** Text and media type of the metrics, if there are any. */
  metrics?: { contentType: string; text(): Promise<string> };
  /** Told of every write. */
  audit?: Audit | undefined;
}

interface Target {
  served: Served;
  subresource: string | undefined;
  call: Call;
}

export class Router {
  readonly #routes: Routes;
  /** `group/version/plural`. */
  readonly #served: ReadonlyMap<string, Served>;

  constructor(routes: Routes) {
    this.#routes = routes;
    this.#served = new Map(
      routes.served.map((served) => [`${served.names.group}/${served.names.version}/${served.names.plural}`, served]),
    );
  }

  /** Answers the request. Never throws: an error is a reply with a Status. */
  async answer(request: ApiRequest): Promise<Reply> {
    const { reply, target } = await this.#answer(request);
    const { audit } = this.#routes;
    if (audit) auditRequest(audit, request, reply, target ? auditedOf(request, target) : auditedState(request));
    return encoded(request, reply, target && objectsOf(target), isWatch(request));
  }

  async #answer(request: ApiRequest): Promise<{ reply: Reply; target?: Target }> {
    let target: Target | undefined;
    if (this.#routes.limits) request.limits = this.#routes.limits;
    try {
      expectMethod(request);
      const reply = await this.#open(request);
      if (reply) {
        request.source.refused?.();
        return { reply };
      }
      this.#authenticate(request);
      const found = this.#target(request);
      target = found;
      this.#authorize(request);
      request.limits = stateLimits(request, request.limits);
      checkTimeout(request.query);
      if (request.method !== 'GET' && request.method !== 'HEAD') refuseNearlyDryRun(request.query);
      if (!found && request.path === METRICS) {
        expectRead(request);
        return { reply: await this.#metrics() };
      }
      const answered = await this.#routes.admission.run(request, askedOf(request, found), () =>
        found ? this.#call(request, found) : this.#elsewhere(request),
      );
      return { reply: answered, ...(found ? { target: found } : {}) };
    } catch (thrown) {
      const error = PlumbError.from(thrown, `${request.method} ${request.path}`);
      return { reply: this.refuse(error, target && aboutOf(target)), ...(target ? { target } : {}) };
    }
  }

  /** The reply for an error. */
  refuse(error: PlumbError, about: About = {}): Reply {
    const status = statusOf(error, error instanceof Forbidden ? error.about : about);
    const after = status.details?.retryAfterSeconds;
    // A client of Go would send the same request again ten times, instead of listing anew.
    const header =
      after === undefined || error instanceof TooNew ? refusalHeaders[status.code] : { 'retry-after': `${after}` };
    return json(status.code, status, header);
  }

  /** What everyone may ask, by these very paths. */
  async #open(request: ApiRequest): Promise<Reply | undefined> {
    if (OPEN.has(request.path) && isRead(request.method)) return this.#plain(request);
    return this.#routes.hook?.(request);
  }

  /** Health and version. */
  async #plain(request: ApiRequest): Promise<Reply | undefined> {
    if (trimmed(request.path) !== VERSION) {
      const checked = await health(request, this.#routes.readiness);
      if (checked && !isRead(request.method)) throw notAllowed();
      return checked;
    }
    if (request.method !== 'GET') throw notAllowed();
    expectAcceptable(request, [JSON_TYPE]);
    return { ...json(200, this.#routes.version), only: true };
  }

  #authenticate(request: ApiRequest): void {
    const { authorization } = request.headers;
    const password = isOfTerraform(request) ? passwordOf(authorization) : undefined;
    const bearer = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1] ?? password;
    request.user = bearer === undefined ? undefined : this.#routes.tokens.check(bearer);
    if (request.user) request.source.identified?.(request.user.name);
    else {
      request.source.refused?.();
      const why = bearer === undefined ? 'the request bears no token' : 'the token is not known here';
      throw terminal('Unauthorized', `${why}: use the kubeconfig that the server wrote into its data folder`);
    }
    const other = impersonated(this.#routes.access, request.user, request.rawHeaders);
    if (other) [request.actor, request.user] = [request.user, other];
  }

  /** Before anything of the request is looked at but method, path and headers. Throws {@link Forbidden}. */
  #authorize(request: ApiRequest): void {
    if (!judgesItself(request)) authorize(this.#routes.access, request.user!, attributesOf(request));
  }

  /** What is no resource. */
  async #elsewhere(request: ApiRequest): Promise<Reply> {
    if (isOfTerraform(request)) return this.#routes.states(request);
    const simple = await this.#plain(request);
    if (simple) return simple;
    const discovered = this.#routes.discovery.get(trimmed(request.path));
    if (discovered) {
      if (discovered.builtin ? request.method !== 'GET' : !isRead(request.method)) throw notAllowed();
      if (discovered.builtin) expectAcceptable(request, OBJECT_TYPES);
      return discovered.answer(request);
    }
    const document = this.#routes.openApi(request);
    if (document && !isRead(request.method)) throw notAllowed();
    const reply = document ?? (await extend(this.#routes.extensions, request, this.#routes.access));
    if (reply) return reply;
    throw nothing();
  }

  /** Shown however busy the server is: it is then that one wants to know. */
  async #metrics(): Promise<Reply> {
    const { metrics } = this.#routes;
    if (!metrics) throw nothing();
    return { status: 200, type: metrics.contentType, body: await metrics.text() };
  }

  #call(request: ApiRequest, target: Target): Promise<Reply> {
    const { served, subresource, call } = target;
    const { names } = served;
    const declared = names.group === API_GROUP;
    const other = subresource === undefined ? undefined : served.subresources?.[subresource];
    const isStatus = subresource === 'status' && served.status !== undefined;
    if (subresource !== undefined && !other && !isStatus)
      throw declared ? notFound(names.plural, names.group, call.name) : nothing();
    // What is created below an object is created by its name; of a declared kind the name in a create's path says nothing.
    const named = other || (declared && !isStatus);
    const verb = named && request.method === 'POST' ? 'create' : verbOf(request, call);
    const verbs = other ? other.verbs : isStatus ? served.status : served.verbs;
    const nameless = (verb === 'update' || verb === 'patch') && call.name === '';
    if (nameless && declared) throw badRequest('name must be provided');
    const handler = verb && !nameless ? verbs?.[verb] : undefined;
    // What is only asked has no paths of its own.
    if (!declared && !other && !isStatus && call.name !== '' && !served.verbs.get) throw nothing();
    if (!handler) throw declared ? notSupported(request, target) : notAllowed();
    if (!declared)
      expectAcceptable(
        request,
        verb === 'list' || verb === 'watch' ? [...OBJECT_TYPES, ...STREAM_TYPES] : OBJECT_TYPES,
      );
    mediaOf(request.headers.accept ?? '', objectsOf(target));
    return handler(call);
  }

  /** The resource that the path names; undefined when it names none. */
  #target(request: ApiRequest): Target | undefined {
    const [root, ...segments] = request.segments;
    const core = root === 'api';
    if (!core && root !== 'apis') return undefined;
    const group = core ? '' : (segments.shift() ?? '');
    const version = segments.shift() ?? '';
    const find = (plural: string | undefined) => this.#served.get(`${group}/${version}/${plural}`);
    if (segments[0] === 'namespaces' && segments.length >= 3) {
      const [, namespace, plural, name = '', subresource, ...rest] = segments;
      const served = find(plural);
      if (served?.names.scope === 'Namespaced') {
        // Clients that name no namespace mean all of them; nothing is changed there.
        if (namespace === '' && (name !== '' || !isRead(request.method))) return undefined;
        return {
          served,
          subresource: partOf(served, subresource, rest),
          call: { request, namespace: namespace || undefined, name },
        };
      }
    }
    const [plural, name = '', subresource, ...rest] = segments;
    const served = find(plural);
    // Across namespaces there is a collection, and no object.
    if (!served || (served.names.scope === 'Namespaced' && name !== '')) return undefined;
    // What belongs to projects is neither made nor deleted across all of them.
    if (served.names.scope === 'Namespaced' && !isRead(request.method)) return undefined;
    return {
      served,
      subresource: partOf(served, subresource, rest),
      call: { request, namespace: undefined, name },
    };
  }
}

/** Of kinds that are declared what stands behind a part of an object counts for nothing. */
function partOf({ names }: Served, part: string | undefined, rest: readonly string[]): string | undefined {
  return (names.group === API_GROUP ? part : [part, ...rest].join('/')) || undefined;
}

function isWatch(request: ApiRequest): boolean {
  return request.method === 'GET' && flagOf(request.query, 'watch') === true;
}

function objectsOf({ served: { names } }: Target) {
  const { group, version, kind } = names;
  return { apiVersion: group === '' ? version : `${group}/${version}`, kind };
}

/** What clients need to know beside the Status, by its code. */
const refusalHeaders: Record<number, Record<string, string>> = {
  401: { 'www-authenticate': 'Bearer realm="plumb"' },
};

const METRICS = '/metrics';

/** What is served without a token. */
const OPEN: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/version', '/version/']);
const VERSION = '/version';

const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'],
  // Of Terraform's http backend.
  ...['LOCK', 'UNLOCK'],
]);

/** TRACE would send back the token, and of what is no method of HTTP nothing is known. */
function expectMethod({ method }: ApiRequest): void {
  if (!METHODS.has(method)) throw terminal('MethodNotAllowed', `${method.slice(0, 80)} is not served`);
}

/** Of what is only there to be read. Throws PlumbError `MethodNotAllowed`. */
function expectRead({ method, path }: Pick<ApiRequest, 'method' | 'path'>, ...methods: string[]): void {
  if (!(methods.length > 0 ? methods : ['GET', 'HEAD']).includes(method))
    throw terminal('MethodNotAllowed', `${method} is not served at ${path}`);
}

/** In Kubernetes' words. */
function nothing(): PlumbError {
  return new ServerResponse('NotFound', 'the server could not find the requested resource');
}

/** In Kubernetes' words. */
function notAllowed(): PlumbError {
  return new ServerResponse('MethodNotAllowed', 'the server does not allow this method on the requested resource');
}

/** As Kubernetes says it of kinds that are declared. */
function notSupported(request: ApiRequest, { served: { names } }: Target): PlumbError {
  const { plural, group } = names;
  const { verb } = attributesOf(request);
  const refused = terminal(
    'MethodNotAllowed',
    `${verb} is not supported on resources of kind ${JSON.stringify(`${plural}.${group}`)}`,
  );
  return Object.assign(refused, { about: { group, plural } });
}

/** Of its own kinds Kubernetes looks at the bare media types first. Throws PlumbError `NotAcceptable`. */
function expectAcceptable({ headers }: ApiRequest, types: readonly string[]): void {
  const accept = headers.accept ?? '';
  if (accept === '') return;
  for (const clause of accept.split(',')) {
    const type = clause.split(';', 1)[0]!.trim();
    if (type === '*/*' || types.includes(type)) return;
  }
  throw new ServerResponse('NotAcceptable', `406: Not Acceptable\n\nAvailable representations: ${types.join(', ')}`);
}

function askedOf(request: ApiRequest, target: Target | undefined): Asked {
  const ofState = askedOfState(request);
  if (ofState) return ofState;
  if (!target) return { scope: undefined, verb: undefined, single: false };
  const verb = verbOf(request, target.call);
  const many = verb === 'list' || verb === 'watch';
  const single = many && /(^|,)metadata\.name=/.test(request.query.get('fieldSelector') ?? '');
  return { scope: target.served.names.scope, verb, single };
}

function verbOf(request: ApiRequest, { name }: Call): Verb | undefined {
  return name === '' ? collectionVerb(request) : itemVerb(request.method);
}

function auditedOf(request: ApiRequest, { served, subresource, call }: Target): Audited {
  const { group, plural } = served.names;
  // A create has read the name from the body by now; it is one all the same.
  const verb = request.method === 'POST' ? 'create' : verbOf(request, call);
  return { verb, group, plural, namespace: call.namespace, name: call.name, subresource };
}

function aboutOf({ served, call }: Target): About {
  const { group, kind, plural } = served.names;
  return { group, kind, plural, name: call.name };
}

function collectionVerb(request: ApiRequest): Verb | undefined {
  if (request.method === 'GET') return flagOf(request.query, 'watch') ? 'watch' : 'list';
  if (request.method === 'HEAD') return 'list';
  return collectionVerbs[request.method];
}

const collectionVerbs: Record<string, Verb> = {
  ...{ POST: 'create', PUT: 'update', PATCH: 'patch', DELETE: 'deletecollection' },
};
const itemVerbs: Record<string, Verb> = { GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

function itemVerb(method: string): Verb | undefined {
  return itemVerbs[method];
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') && !path.startsWith('//') ? path.slice(0, -1) : path;
}
