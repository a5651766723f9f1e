/** From a request to its reply: who asks, what for, and which handler knows. */
import { PlumbError, terminal } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { User } from '../pki/tokens.ts';
import { attributesOf } from './attributes.ts';
import { type Audit, type Audited, auditRequest } from './audit.ts';
import { type Access, authorize, Forbidden } from './authorize.ts';
import type { Call } from './call.ts';
import type { Discovery } from './discovery.ts';
import { type Extension, extend, judgesItself } from './extension.ts';
import { type About, notFound, statusOf, TooNew } from './failure.ts';
import type { Admission } from './fairness/admission.ts';
import type { Asked } from './fairness/demand.ts';
import { health } from './health.ts';
import { impersonated } from './impersonate.ts';
import { checkTimeout, flagOf } from './list-options.ts';
import { asYaml, wantsYaml } from './media.ts';
import type { OpenApi } from './openapi.ts';
import { refuseNearlyDryRun } from './options.ts';
import { mediaOf } from './presentation.ts';
import { asProtobuf, PROTOBUF_TYPE } from './protobuf-reply.ts';
import type { Readiness } from './readiness.ts';
import { json, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import type { Verb } from './resource.ts';
import { handlerOf, type Served } from './served.ts';

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
    if (audit) auditRequest(audit, request, reply, target && auditedOf(request, target));
    if (target && prefersProtobuf(request, target)) return asProtobuf(reply, isWatch(request));
    return encoded(request, reply);
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

  /** What everyone may ask. */
  async #open(request: ApiRequest): Promise<Reply | undefined> {
    const path = trimmed(request.path);
    if (OPEN.has(path)) expectRead(request);
    switch (path) {
      case '/healthz':
      case '/livez':
      case '/readyz':
        return health(request.segments, request.query, this.#routes.readiness);
      case '/version':
        return json(200, this.#routes.version);
      default:
        return this.#routes.hook?.(request);
    }
  }

  #authenticate(request: ApiRequest): void {
    const bearer = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1];
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
    const checked = await health(request.segments, request.query, this.#routes.readiness);
    if (checked) {
      expectRead(request);
      return checked;
    }
    const discovered = this.#routes.discovery.get(trimmed(request.path));
    if (discovered) {
      expectRead(request);
      return discovered(request);
    }
    const reply =
      this.#routes.openApi(request) ?? (await extend(this.#routes.extensions, request, this.#routes.access));
    if (reply) return reply;
    throw nothingAt(request.path);
  }

  /** Shown however busy the server is: it is then that one wants to know. */
  async #metrics(): Promise<Reply> {
    const { metrics } = this.#routes;
    if (!metrics) throw nothingAt(METRICS);
    return { status: 200, type: metrics.contentType, body: await metrics.text() };
  }

  #call(request: ApiRequest, target: Target): Promise<Reply> {
    const { served, subresource, call } = target;
    const other = subresource === undefined ? undefined : served.subresources?.[subresource];
    if (subresource !== undefined && subresource !== 'status' && !other) {
      throw notFound(served.names.plural, served.names.group, call.name);
    }
    // What is created below an object is created by its name.
    const verb = other && request.method === 'POST' ? 'create' : verbOf(request, call);
    const verbs = other ? other.verbs : subresource === 'status' ? served.status : served.verbs;
    return handlerOf(verbs, verb, request.method, request.path)(call);
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
        return rest.length > 0 ? undefined : { served, subresource, call: { request, namespace, name } };
      }
    }
    const [plural, name = '', subresource, ...rest] = segments;
    const served = find(plural);
    // Across namespaces there is a collection, and no object.
    if (!served || rest.length > 0 || (served.names.scope === 'Namespaced' && name !== '')) return undefined;
    // What belongs to projects is neither made nor deleted across all of them.
    if (served.names.scope === 'Namespaced' && !isRead(request.method)) return undefined;
    return { served, subresource, call: { request, namespace: undefined, name } };
  }
}

function isWatch(request: ApiRequest): boolean {
  return request.method === 'GET' && flagOf(request.query, 'watch') === true;
}

/** Whether objects of the kind have a form that the client would rather have than JSON. */
function prefersProtobuf({ headers }: ApiRequest, { served }: Target): boolean {
  const { accept = '' } = headers;
  if (!accept.includes(PROTOBUF_TYPE)) return false;
  const { group, version, kind } = served.names;
  try {
    return mediaOf(accept, { apiVersion: group === '' ? version : `${group}/${version}`, kind }).protobuf;
  } catch {
    // What was not acceptable is said in JSON.
    return false;
  }
}

/** What clients need to know beside the Status, by its code. */
const refusalHeaders: Record<number, Record<string, string>> = {
  401: { 'www-authenticate': 'Bearer realm="plumb"' },
};

const METRICS = '/metrics';

/** What is served without a token. */
const OPEN: ReadonlySet<string> = new Set(['/healthz', '/livez', '/readyz', '/version']);

const METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

/** TRACE would send back the token, and of what is no method of HTTP nothing is known. */
function expectMethod({ method }: ApiRequest): void {
  if (!METHODS.has(method)) throw terminal('MethodNotAllowed', `${method.slice(0, 80)} is not served`);
}

/** As the client takes it: in YAML where it prefers that, and compressed where it can read that. */
function encoded({ headers, method }: ApiRequest, reply: Reply): Reply {
  const shown = wantsYaml(headers.accept ?? '') ? asYaml(reply) : reply;
  return method === 'GET' && shown.status === 200 && !shown.live && takesGzip(headers['accept-encoding'])
    ? { ...shown, gzip: true }
    : shown;
}

function takesGzip(header: string | string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((coding) => /^\s*gzip\s*(;\s*q=(?!0(\.0*)?\s*$).*)?$/i.test(coding));
}

/** Of what is only there to be read. Throws PlumbError `MethodNotAllowed`. */
function expectRead({ method, path }: Pick<ApiRequest, 'method' | 'path'>, ...methods: string[]): void {
  if (!(methods.length > 0 ? methods : ['GET', 'HEAD']).includes(method))
    throw terminal('MethodNotAllowed', `${method} is not served at ${path}`);
}

function nothingAt(path: string) {
  return terminal('NotFound', `the server could not find the requested resource: there is nothing at ${path}`);
}

function askedOf(request: ApiRequest, target: Target | undefined): Asked {
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

const collectionVerbs: Record<string, Verb> = { POST: 'create', DELETE: 'deletecollection' };
const itemVerbs: Record<string, Verb> = { GET: 'get', HEAD: 'get', PUT: 'update', PATCH: 'patch', DELETE: 'delete' };

function itemVerb(method: string): Verb | undefined {
  return itemVerbs[method];
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD';
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}
