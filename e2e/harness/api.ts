/** A small client of the API, written against Kubernetes' conventions and nothing of ours but the kinds. */
import { readFileSync } from 'node:fs';
import type { IncomingMessage } from 'node:http';
import { Agent, type RequestOptions, request } from 'node:https';
import { setTimeout as delay } from 'node:timers/promises';
import { type Condition, kindByName, type PlumbObject } from '@plumb/schemas';
import { parse } from 'yaml';

export interface Reply {
  code: number;
  body: Record<string, unknown> & { message?: string; reason?: string };
}

interface Kubeconfig {
  clusters: { cluster: { server: string; 'certificate-authority-data': string } }[];
  users: { user: { token: string } }[];
}

export class Api {
  readonly #server: URL;
  readonly #token: string;
  readonly #agent: Agent;

  constructor(kubeconfig: string) {
    const { clusters, users } = parse(readFileSync(kubeconfig, 'utf8')) as Kubeconfig;
    const { server, 'certificate-authority-data': authority } = clusters[0]!.cluster;
    this.#server = new URL(server);
    this.#token = users[0]!.user.token;
    this.#agent = new Agent({ ca: Buffer.from(authority, 'base64'), keepAlive: false });
  }

  /** The object, or undefined when there is none. */
  async get(kind: string, name: string): Promise<PlumbObject | undefined> {
    const { code, body } = await this.call('GET', pathOf(kind, name));
    return code === 404 ? undefined : (body as unknown as PlumbObject);
  }

  async list(kind: string): Promise<PlumbObject[]> {
    const { body } = await this.call('GET', pathOf(kind));
    return body.items as PlumbObject[];
  }

  create(object: { kind: string; metadata: { name: string }; spec?: object }): Promise<Reply> {
    return this.call('POST', pathOf(object.kind), { apiVersion: 'plumb.dev/v1', ...object });
  }

  /** A JSON merge patch (RFC 7386). */
  patch(kind: string, name: string, change: object): Promise<Reply> {
    return this.call('PATCH', pathOf(kind, name), change);
  }

  delete(kind: string, name: string): Promise<Reply> {
    return this.call('DELETE', pathOf(kind, name));
  }

  /** Any request. Rejects only when no answer came. */
  call(method: string, path: string, body?: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
      const sent = request(this.#options(method, path, type), (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (part: string) => {
          text += part;
        });
        response.on('error', reject);
        response.on('end', () => {
          const isJson = response.headers['content-type']?.includes('json');
          resolve({ code: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : { message: text } });
        });
      });
      sent.setTimeout(30_000, () => sent.destroy(new Error(`${method} ${path}: no answer in 30 s`)));
      sent.on('error', reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }

  /**
   * Resolves with the object as soon as `holds` is true of it; `undefined` stands for an object that is not there. It
   * is told of changes by a watch. A server that goes and comes back meanwhile is waited for. Rejects after `withinMs`
   * with what was seen last.
   */
  async until(
    kind: string,
    name: string,
    what: string,
    holds: (object: PlumbObject | undefined) => boolean,
    withinMs = 60_000,
  ): Promise<PlumbObject | undefined> {
    const late = AbortSignal.timeout(withinMs);
    let last: PlumbObject | undefined;
    let trouble = '';
    while (!late.aborted) {
      try {
        for await (const object of this.#states(kind, name, late)) {
          last = object;
          if (holds(object)) return object;
        }
      } catch (error) {
        trouble = late.aborted ? trouble : `; ${(error as Error).message}`;
        await delay(100); // The server is away: nobody tells when it is back.
      }
    }
    throw new Error(`${kind} ${name}: not ${what} within ${withinMs / 1000} s, but ${described(last)}${trouble}`);
  }

  /** The object now, then after every change, until the server ends the watch. */
  async *#states(kind: string, name: string, signal: AbortSignal): AsyncGenerator<PlumbObject | undefined> {
    const { code, body } = await this.call('GET', `${pathOf(kind)}?fieldSelector=metadata.name=${name}`);
    if (code !== 200) throw new Error(`list of ${kind}: ${code} ${body.message}`);
    const { items, metadata } = body as unknown as { items: PlumbObject[]; metadata: { resourceVersion: string } };
    yield items[0];
    const query = `watch=true&fieldSelector=metadata.name=${name}&resourceVersion=${metadata.resourceVersion}`;
    const response = await this.#open(`${pathOf(kind)}?${query}`, signal);
    for await (const line of linesOf(response)) {
      const event = JSON.parse(line) as { type: string; object: PlumbObject };
      if (event.type === 'ERROR') return; // The history is gone: list again.
      if (event.type !== 'BOOKMARK') yield event.type === 'DELETED' ? undefined : event.object;
    }
  }

  #open(path: string, signal: AbortSignal): Promise<IncomingMessage> {
    return new Promise((resolve, reject) => {
      request({ ...this.#options('GET', path), signal }, resolve)
        .on('error', reject)
        .end();
    });
  }

  #options(method: string, path: string, type = 'application/json'): RequestOptions {
    const headers = { authorization: `Bearer ${this.#token}`, accept: 'application/json', 'content-type': type };
    const { hostname, port } = this.#server;
    return { method, path, hostname, port, headers, agent: this.#agent };
  }
}

/** The watch is let go of when the reader stops; it ends in an error when the server went away. */
async function* linesOf(response: IncomingMessage): AsyncGenerator<string> {
  let rest = '';
  for await (const part of response.setEncoding('utf8')) {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
}

/** Path of a collection or of an object; namespaced kinds are in `default`. */
export function pathOf(kind: string, name?: string): string {
  const definition = kindByName(kind);
  if (!definition) throw new Error(`there is no kind ${kind}`);
  const scope = definition.scope === 'Namespaced' ? '/namespaces/default' : '';
  return `/apis/plumb.dev/v1${scope}/${definition.plural}${name === undefined ? '' : `/${name}`}`;
}

export function condition(object: PlumbObject | undefined, type: string): Condition | undefined {
  return object?.status?.conditions?.find((candidate) => candidate.type === type);
}

/** Ready, and speaking of the newest generation. */
export function isReady(object: PlumbObject | undefined): boolean {
  const ready = condition(object, 'Ready');
  return ready?.status === 'True' && object?.status?.observedGeneration === object?.metadata.generation;
}

/** A change of inputs is needed, and it is the newest generation of which this is said. */
export function isStalled(object: PlumbObject | undefined): boolean {
  const stalled = condition(object, 'Stalled');
  return stalled?.status === 'True' && object?.status?.observedGeneration === object?.metadata.generation;
}

function described(object: PlumbObject | undefined): string {
  if (object === undefined) return 'not there';
  const { conditions, ...status } = object.status ?? {};
  const said = conditions?.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`) ?? [];
  return [`generation ${object.metadata.generation}, status ${JSON.stringify(status)}`, ...said].join('\n  ');
}
