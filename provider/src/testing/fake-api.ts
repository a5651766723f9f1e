/** The API as clients see it, in memory and without rules: enough to bring the provider into every situation. */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { objectPath } from '@plumb/client/paths.ts';
import { type Condition, kindByName, type PlumbObject } from '@plumb/schemas';
import { trackApply } from '@plumb/schemas/apply/track.ts';
import { objectType } from '@plumb/schemas/apply/type.ts';
import { apiVersionOf } from '@plumb/schemas/kinds/define.ts';
import { labelSelector } from '@plumb/schemas/selectors/labels.ts';

export interface Seen {
  method: string;
  path: string;
  body: Record<string, unknown> | undefined;
  authorization: string | undefined;
  /** Whether it is to create, and only that. */
  onlyNew: boolean;
}

/** A prepared answer; `drop`: the connection is cut. `after`: the request is carried out all the same. */
export type Fault =
  | { code: number; body?: unknown; after?: boolean; headers?: Record<string, string> }
  | { drop: true; after?: boolean };

interface Watcher {
  collection: string;
  name: string | undefined;
  response: ServerResponse;
}

export class FakeApi {
  readonly seen: Seen[] = [];
  /** Called with every object that was written, to give it a status. */
  react: (object: PlumbObject, api: FakeApi) => void = (object, api) => api.condition(object, 'True', 'Ready', 'Fine.');
  /** Asked before each request; a request waits for what it promises. */
  fault: (seen: Seen) => Fault | undefined | Promise<undefined> = () => undefined;
  /** Names of what refers to an object. */
  referrers: (object: PlumbObject) => string[] = () => [];
  /** What a review says of an object beside its action. */
  review: (object: { kind: string; metadata: { name: string } }) => object = () => ({});
  /** Why deleted objects stay. */
  held: ((object: PlumbObject) => boolean) | undefined;
  readonly #objects = new Map<string, PlumbObject>();
  readonly #watchers = new Set<Watcher>();
  #server: Server | undefined;
  #revision = 0;
  #uids = 0;

  static async start(): Promise<FakeApi> {
    const api = new FakeApi();
    await api.listen(0);
    return api;
  }

  listen(port: number): Promise<void> {
    this.#server = createServer((request, response) => void this.#answer(request, response));
    return new Promise((resolve) => this.#server!.listen(port, '127.0.0.1', resolve));
  }

  get port(): number {
    return (this.#server!.address() as AddressInfo).port;
  }

  get endpoint(): string {
    return `http://127.0.0.1:${this.port}`;
  }

  close(): Promise<void> {
    this.#server!.closeAllConnections();
    return new Promise((resolve) => this.#server!.close(() => resolve()));
  }

  /** Cuts every watch, as a server does that restarts. */
  cutWatches(): void {
    for (const { response } of this.#watchers) response.destroy();
  }

  get watching(): number {
    return this.#watchers.size;
  }

  object(path: string): PlumbObject | undefined {
    return this.#objects.get(path);
  }

  /** Writes as a controller or another person would. */
  put(path: string, object: PlumbObject): PlumbObject {
    const stored = structuredClone(object);
    stored.metadata.resourceVersion = String(++this.#revision);
    const type = this.#objects.has(path) ? 'MODIFIED' : 'ADDED';
    this.#objects.set(path, stored);
    this.#tell(type, path, stored);
    return stored;
  }

  remove(path: string): void {
    const object = this.#objects.get(path);
    this.#objects.delete(path);
    this.#revision++;
    if (object) this.#tell('DELETED', path, object);
  }

  /** Sets a condition at the object's generation, and others. */
  condition(object: PlumbObject, status: Condition['status'], reason: string, message: string, type = 'Ready'): void {
    const path = pathOf(object);
    const current = this.#objects.get(path) ?? object;
    const others = (current.status?.conditions ?? []).filter((c) => c.type !== type);
    const { generation } = current.metadata;
    const said: Condition = { type, status, reason, message, observedGeneration: generation, lastTransitionTime: '' };
    this.put(path, { ...current, status: { ...current.status, conditions: [...others, said] } });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const body = text === '' ? undefined : (JSON.parse(text) as Record<string, unknown>);
    const { authorization } = request.headers;
    const onlyNew = request.headers['if-none-match'] === '*';
    const seen: Seen = { method: request.method!, path: request.url!, body, authorization, onlyNew };
    this.seen.push(seen);
    const fault = await this.fault(seen);
    const answer = fault && !fault.after ? undefined : this.#carryOut(seen, fault ? undefined : response);
    if (fault && 'drop' in fault) request.socket.destroy();
    else if (fault) send(response, [fault.code, fault.body ?? {}], fault.headers);
    else if (answer) send(response, answer);
  }

  /** The answer; undefined for a watch, which writes to `response` from then on. */
  #carryOut({ method, path, body, onlyNew }: Seen, response: ServerResponse | undefined): Answer | undefined {
    const url = new URL(path, 'http://fake');
    if (url.pathname === '/apis/plumb.dev/v1') return [200, { kind: 'APIResourceList', resources: [] }];
    if (url.pathname.endsWith('/planreviews')) return this.#review(body as never);
    if (onlyNew) return this.#create(url.pathname, body as unknown as PlumbObject, url.searchParams);
    if (url.searchParams.get('watch') === 'true') return this.#watch(url, response);
    if (method === 'GET' && url.searchParams.size > 0) return this.#list(url);
    const object = this.#objects.get(url.pathname);
    if (!object) return failed(404, 'NotFound', `${url.pathname} not found`);
    if (method === 'GET') return [200, object];
    const preconditions = (body as { preconditions?: { uid: string; unreferenced?: boolean } }).preconditions;
    if (preconditions?.unreferenced && this.referrers(object).length > 0)
      return failed(409, 'InUse', `still needed by ${this.referrers(object).join(', ')}`);
    const uid = preconditions?.uid ?? (body?.metadata as { uid?: string } | undefined)?.uid;
    const version = (body?.metadata as { resourceVersion?: string } | undefined)?.resourceVersion;
    if (version && version !== object.metadata.resourceVersion) return failed(409, 'Conflict', 'another version');
    if (uid && uid !== object.metadata.uid) return failed(409, 'Conflict', 'another uid');
    if (method === 'DELETE') return this.#delete(url.pathname, object);
    const isApply = url.searchParams.has('force');
    const next = isApply ? applied(object, body!, url.searchParams) : (merged(object, body) as PlumbObject);
    return this.#change(url.pathname, object, next);
  }

  #review({
    spec,
  }: {
    spec: { objects: { kind: string; metadata: { name: string } }[]; deletions: object[] };
  }): Answer {
    const told = (one: { kind: string; metadata: { name: string } }) => ({
      ...{ kind: one.kind, ...one.metadata, action: 'Update', changes: [], steps: [] },
      ...this.review(one),
    });
    const going = spec.deletions.map((one) => told({ ...one, metadata: one } as never));
    return [201, { kind: 'PlanReview', status: { objects: [...spec.objects.map(told), ...going], affected: [] } }];
  }

  #create(path: string, sent: PlumbObject, query: URLSearchParams): Answer {
    if (this.#objects.has(path)) return failed(409, 'AlreadyExists', `${path} already exists`);
    const uid = `uid-${++this.#uids}`;
    const made = applied(undefined, sent as unknown as Record<string, unknown>, query);
    const metadata = { ...made.metadata, uid, generation: 1, creationTimestamp: '' };
    const stored = this.put(path, { ...made, metadata });
    this.react(stored, this);
    return [201, stored];
  }

  #change(path: string, object: PlumbObject, next: PlumbObject): Answer {
    const changed = JSON.stringify(next.spec) !== JSON.stringify(object.spec);
    next.metadata = { ...next.metadata, generation: object.metadata.generation + (changed ? 1 : 0) };
    const stored = this.put(path, next);
    this.react(stored, this);
    return [200, stored];
  }

  #delete(path: string, object: PlumbObject): Answer {
    const metadata = { ...object.metadata, deletionTimestamp: 'now', finalizers: ['test'] };
    const marked = this.put(path, { ...object, metadata });
    if (!this.held?.(marked)) this.remove(path);
    return [200, marked];
  }

  #list(url: URL): Answer {
    // Without a project in the path, those of every project.
    const [, root, plural] = /^(.*)\/([a-z0-9]+)$/.exec(url.pathname)!;
    const isIn = (path: string) =>
      path.startsWith(`${url.pathname}/`) ||
      (path.startsWith(`${root}/namespaces/`) && path.split('/').at(-2) === plural);
    const items = [...this.#objects].filter(([path]) => isIn(path)).map(([, item]) => item);
    const name = selected(url);
    const matches = labelSelector(url.searchParams.get('labelSelector') ?? '') ?? (() => true);
    const chosen = items.filter(
      ({ metadata }) => (name === undefined || metadata.name === name) && matches(metadata.labels),
    );
    const from = Number(url.searchParams.get('continue') ?? 0);
    const to = from + Number(url.searchParams.get('limit') ?? chosen.length);
    const next = to < chosen.length ? { continue: String(to) } : {};
    const metadata = { resourceVersion: String(this.#revision), ...next };
    return [200, { kind: 'List', metadata, items: chosen.slice(from, to) }];
  }

  #watch(url: URL, response: ServerResponse | undefined): undefined {
    if (!response) return;
    response.writeHead(200, { 'content-type': 'application/json' }).flushHeaders();
    const watcher = { collection: url.pathname, name: selected(url), response };
    this.#watchers.add(watcher);
    response.on('close', () => this.#watchers.delete(watcher));
    if (url.searchParams.has('sendInitialEvents')) {
      for (const [path, object] of this.#objects) this.#tell('ADDED', path, object, [watcher]);
      const metadata = {
        resourceVersion: String(this.#revision),
        annotations: { 'k8s.io/initial-events-end': 'true' },
      };
      response.write(`${JSON.stringify({ type: 'BOOKMARK', object: { metadata } })}\n`);
      return;
    }
    const from = Number(url.searchParams.get('resourceVersion'));
    for (const [path, object] of this.#objects) {
      if (Number(object.metadata.resourceVersion) > from) this.#tell('MODIFIED', path, object, [watcher]);
    }
  }

  #tell(type: string, path: string, object: PlumbObject, to: Iterable<Watcher> = this.#watchers): void {
    for (const { collection, name, response } of to) {
      if (!path.startsWith(`${collection}/`) || (name !== undefined && name !== object.metadata.name)) continue;
      response.write(`${JSON.stringify({ type, object })}\n`);
    }
  }
}

function applied(
  live: PlumbObject | undefined,
  declared: Record<string, unknown>,
  query: URLSearchParams,
): PlumbObject {
  return appliedBy(query.get('fieldManager')!, live, declared);
}

/** The object after an apply by force. */
export function appliedBy(
  manager: string,
  live: PlumbObject | undefined,
  declared: Record<string, unknown>,
): PlumbObject {
  const { kind } = declared as { kind: string };
  const place = { type: objectType(kindByName(kind)!), apiVersion: apiVersionOf(kindByName(kind)!), kind };
  const writer = { manager, now: '2026-01-01T00:00:00Z' };
  const tracked = trackApply(place, live as unknown as Record<string, unknown> | undefined, declared, writer, true);
  if ('conflicts' in tracked) throw new Error('there is no conflict by force');
  const object = (tracked.object ?? live ?? declared) as unknown as PlumbObject;
  const next = structuredClone({ ...object, metadata: { ...object.metadata, managedFields: tracked.entries } });
  return { ...next, spec: next.spec ?? {} } as PlumbObject;
}

/** Where an object lies. */
export function pathOf({ kind, metadata }: Pick<PlumbObject, 'kind' | 'metadata'>): string {
  const definition = kindByName(kind)!;
  const { name, namespace } = metadata;
  return objectPath({ apiVersion: apiVersionOf(definition), plural: definition.plural }, namespace, name);
}

/** metav1.Status. */
export function failure(code: number, reason: string, message: string, causes: object[] = []): object {
  return { kind: 'Status', status: 'Failure', code, reason, message, details: { causes } };
}

type Answer = [code: number, body: unknown];

function failed(code: number, reason: string, message: string): Answer {
  return [code, failure(code, reason, message)];
}

function selected(url: URL): string | undefined {
  return url.searchParams.get('fieldSelector')?.replace('metadata.name=', '');
}

function send(response: ServerResponse, [code, body]: Answer, headers: Record<string, string> = {}): void {
  response.writeHead(code, { ...headers, 'content-type': 'application/json' }).end(JSON.stringify(body));
}

/** RFC 7386. */
function merged(target: unknown, patch: unknown): unknown {
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch;
  const result: Record<string, unknown> = { ...(target as object) };
  for (const [key, value] of Object.entries(patch)) {
    if (value === null) delete result[key];
    else result[key] = merged(typeof result[key] === 'object' ? result[key] : {}, value);
  }
  return result;
}
