/** The API as tests ask it: any answer is an answer, and what is waited for is told when it does not come. */
import { clientFor, findAccess } from '@plumb/client/access.ts';
import type { Client } from '@plumb/client/client.ts';
import { follow } from '@plumb/client/follow.ts';
import { collectionPath, objectPath } from '@plumb/client/paths.ts';
import { conditionOf, settled } from '@plumb/client/settled.ts';
import { API_GROUP_VERSION, kindByName, type PlumbError, type PlumbObject, realAmbient } from '@plumb/schemas';

export interface Reply {
  code: number;
  body: Record<string, unknown> & { message?: string; reason?: string };
}

export class Api {
  readonly #kubeconfig: string;

  constructor(kubeconfig: string) {
    this.#kubeconfig = kubeconfig;
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
    return this.call('POST', pathOf(object.kind), { apiVersion: API_GROUP_VERSION, ...object });
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
    const type = method === 'PATCH' ? 'application/merge-patch+json' : 'application/json';
    return this.#with(async (client) => {
      const answer = await client.ask(method, path, { body, type });
      return { code: answer.status, body: answer.body ?? { message: answer.text } };
    });
  }

  /**
   * Resolves with the object as soon as `holds` is true of it; `undefined` stands for an object that is not there. A server
   * that goes and comes back meanwhile is waited for. Rejects after `withinMs` with what was seen last.
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
    const see = (named: string, object: PlumbObject | undefined) => {
      if (named !== name) return undefined;
      last = object;
      return holds(object) ? { object } : undefined;
    };
    const broken = ({ message }: PlumbError) => {
      trouble = `; ${message}`;
    };
    const view = { path: pathOf(kind), query: `fieldSelector=metadata.name%3D${name}`, broken };
    try {
      const found = await this.#with((client) => follow(client, { ...view, names: () => [name], see }, late));
      return found.object;
    } catch (error) {
      if (!late.aborted) throw error;
      throw new Error(`${kind} ${name}: not ${what} within ${withinMs / 1000} s, but ${described(last)}${trouble}`);
    }
  }

  /** With connections of its own: the server may be another one by now. */
  async #with<T>(work: (client: Client) => Promise<T>): Promise<T> {
    const client = clientFor(await findAccess(this.#kubeconfig, {}), realAmbient());
    try {
      return await work(client);
    } finally {
      client.close();
    }
  }
}

/** Path of a collection or of an object; namespaced kinds are in `default`. */
export function pathOf(kind: string, name?: string): string {
  const definition = kindByName(kind);
  if (!definition) throw new Error(`there is no kind ${kind}`);
  const at = { apiVersion: API_GROUP_VERSION, plural: definition.plural };
  const namespace = definition.scope === 'Namespaced' ? 'default' : undefined;
  return name === undefined ? collectionPath(at, namespace) : objectPath(at, namespace, name);
}

export { conditionOf as condition };

/** Ready, and speaking of the newest generation. */
export function isReady(object: PlumbObject | undefined): boolean {
  return object !== undefined && settled(object).state === 'ready';
}

/** A change of inputs is needed, and it is the newest generation of which this is said. */
export function isStalled(object: PlumbObject | undefined): boolean {
  return object !== undefined && settled(object).state === 'failed';
}

function described(object: PlumbObject | undefined): string {
  if (object === undefined) return 'not there';
  const { conditions, ...status } = object.status ?? {};
  const said = conditions?.map(({ type, status, reason, message }) => `${type}=${status} ${reason}: ${message}`) ?? [];
  return [`generation ${object.metadata.generation}, status ${JSON.stringify(status)}`, ...said].join('\n  ');
}
