/** Endpoints that other parts of the server add to the API, behind the same authentication. */
import type { User } from '../pki/tokens.ts';
import { refuseDryRun } from './options.ts';
import { JSON_TYPE, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';

export interface Extension {
  method: string;
  /** Path with `{name}` for a segment that varies: `/apis/plumb.dev/v1/orphans/{host}`. */
  path: string;
  /** Whether `handle` itself obeys `dryRun=All` of the query; else such a request is refused. */
  triesDryRun?: true;
  /** It only answers, though its method is POST. */
  onlyReads?: true;
  handle(request: ExtensionRequest): Promise<ExtensionReply>;
}

export interface ExtensionRequest {
  /** The varying segments by name. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  user: User;
  /** The body as JSON; undefined when there is none. Throws PlumbError `BadRequest`. */
  json(): Promise<unknown>;
  signal: AbortSignal;
}

/** A PlumbError that `handle` throws becomes a Status. */
export interface ExtensionReply {
  /** 200, if absent. */
  status?: number;
  /** Sent as JSON. */
  body: unknown;
  /** For the audit log: the objects that it wrote; false when it wrote nothing. */
  wrote?: ApiRequest['wrote'];
}

/** The reply of the extension that serves the request, or undefined if none does. */
export async function extend(extensions: Iterable<Extension>, request: ApiRequest): Promise<Reply | undefined> {
  for (const extension of extensions) {
    if (extension.method !== request.method) continue;
    const params = match(extension.path, request.segments);
    if (!params) continue;
    if (request.method !== 'GET' && !extension.triesDryRun && !extension.onlyReads)
      refuseDryRun(request.query, request.path);
    if (extension.onlyReads) request.wrote = false;
    const {
      status = 200,
      body,
      wrote,
    } = await extension.handle({
      params,
      query: request.query,
      user: request.user!,
      json: () => request.json(),
      signal: request.signal,
    });
    if (wrote !== undefined) request.wrote = wrote;
    return { status, type: JSON_TYPE, body: JSON.stringify(body) };
  }
  return undefined;
}

function match(path: string, segments: readonly string[]): Record<string, string> | undefined {
  const parts = path.split('/').filter(Boolean);
  if (parts.length !== segments.length) return undefined;
  const params: Record<string, string> = {};
  for (const [index, part] of parts.entries()) {
    const name = /^\{(.+)\}$/.exec(part)?.[1];
    if (name !== undefined) params[name] = segments[index]!;
    else if (part !== segments[index]) return undefined;
  }
  return params;
}
