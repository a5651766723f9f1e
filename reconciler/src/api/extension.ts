/**
 * Endpoints that other parts of the server add to the API, behind the same authentication. What one takes as its body it declares
 * as a schema; here, for all of them, bodies and options are read and judged as those of any other write.
 */
import { API_GROUP, terminal } from '@plumb/schemas';
import type { Schema } from '@plumb/schemas/kinds/define.ts';
import { type SchemaNode, schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import type { ResourceAttributes } from '../authorization/policy.ts';
import type { User } from '../pki/tokens.ts';
import { type Access, authorize, resourceAttributes } from './authorize.ts';
import { schemaBody } from './body/schema-body.ts';
import { warningHeader } from './modify.ts';
import { type FieldValidation, refuseDryRun, refusePreconditions, writeOptions } from './options.ts';
import { JSON_TYPE, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import { optionsOf } from './verbs/delete.ts';

export interface Extension {
  method: 'GET' | 'POST' | 'DELETE';
  /** Path with `{name}` for a segment that varies: `/apis/plumb.dev/v1/orphans/{host}`. */
  path: string;
  /** Schema of the object that a POST takes as its body; without it, a body may say nothing. See {@link taking}. */
  body?: SchemaNode;
  /** A field that is not known is refused even when `fieldValidation` would let it pass: what it was meant to prevent cannot be undone. */
  strict?: true;
  /** Whether `handle` itself obeys `dryRun`; else such a request is refused. */
  triesDryRun?: true;
  /** It only answers, though its method is POST. */
  onlyReads?: true;
  /** Its path does not say of which objects it speaks, and `handle` asks for each; see {@link judgesItself}. */
  judges?: true;
  handle(request: ExtensionRequest): Promise<ExtensionReply>;
}

export interface ExtensionRequest {
  /** The varying segments by name. */
  params: Readonly<Record<string, string>>;
  query: URLSearchParams;
  user: User;
  /** Throws {@link Forbidden} when who asks may not do it. Without more it is about a resource of `plumb.dev`. */
  authorize(asked: Pick<ResourceAttributes, 'verb' | 'resource'> & Partial<ResourceAttributes>): void;
  /** As the schema says; an empty object when none came. */
  body: unknown;
  /** Whether the query asks for `dryRun=All`. */
  dryRun: boolean;
  /** What becomes of unknown fields of objects in the body. */
  level: FieldValidation;
  /** Sentences for the Warning header. */
  warn(sentences: readonly string[]): void;
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

/**
 * The part of an extension that takes a body. `handle` says what type the schema describes:
 *
 *   { method: 'POST', path: '/…/fences', ...taking(FENCE, async ({ host }: ValueOf<typeof FENCE>) => …) }
 */
export function taking<Body>(
  schema: Schema,
  handle: (body: Body, request: ExtensionRequest) => Promise<ExtensionReply>,
): Pick<Extension, 'body' | 'handle'> {
  return { body: schemaNode(schema), handle: (request) => handle(request.body as Body, request) };
}

/**
 * The reply of the extension that serves the request, or undefined if none has its path. Throws PlumbError `MethodNotAllowed`,
 * and `BadRequest` or `Invalid` for a body or an option that cannot be taken.
 */
export async function extend(
  extensions: Iterable<Extension>,
  request: ApiRequest,
  access: Access,
): Promise<Reply | undefined> {
  let known = false;
  for (const extension of extensions) {
    const params = match(extension.path, request.segments);
    if (!params) continue;
    known = true;
    if (extension.method === request.method) return answer(extension, params, request, access);
  }
  if (known) throw terminal('MethodNotAllowed', `${request.method} is not served at ${request.path}`);
  return undefined;
}

/**
 * Endpoints that judge by themselves. Everything else is judged by its path before it is looked for, whether it is there or not, and
 * so is this while the server does not know yet what it serves.
 */
export const JUDGING: readonly string[] = [
  '/apis/plumb.dev/v1/cascades',
  '/apis/plumb.dev/v1/flows/{uid}/retry',
  '/apis/plumb.dev/v1/flows/{uid}/abandon',
];

export function judgesItself({ method, segments }: Pick<ApiRequest, 'method' | 'segments'>): boolean {
  return method === 'POST' && JUDGING.some((path) => match(path, segments) !== undefined);
}

async function answer(
  extension: Extension,
  params: Record<string, string>,
  request: ApiRequest,
  access: Access,
): Promise<Reply> {
  const warnings: string[] = [];
  const warn = (sentences: readonly string[]) => void warnings.push(...sentences);
  const wish = await wishOf(extension, request, warn);
  if (extension.onlyReads) request.wrote = false;
  const { query, signal } = request;
  const user = request.user!;
  let judged = false;
  const reply = await extension.handle({
    ...{ params, query, user, warn, signal, ...wish },
    authorize(asked) {
      judged = true;
      authorize(access, user, resourceAttributes({ group: API_GROUP, ...asked }));
    },
  });
  if (extension.judges && !judged) throw new TypeError(`${extension.path} answered, and asked for no right`);
  const { status = 200, body, wrote } = reply;
  if (wrote !== undefined) request.wrote = wrote;
  return {
    status,
    type: JSON_TYPE,
    body: JSON.stringify(body),
    ...(warnings.length > 0 ? { headers: { warning: warningHeader(warnings) } } : {}),
  };
}

type Wish = Pick<ExtensionRequest, 'body' | 'dryRun' | 'level'>;

/** What the client wants, judged before anything is done. */
async function wishOf(extension: Extension, request: ApiRequest, warn: ExtensionRequest['warn']): Promise<Wish> {
  const { method, query, path } = request;
  if (method === 'GET') return { body: {}, dryRun: false, level: 'Strict' };
  if (method === 'DELETE') {
    const { dryRun, preconditions } = await optionsOf({ request });
    if (dryRun) refuseDryRun(path);
    refusePreconditions(preconditions, path);
    return { body: {}, dryRun, level: 'Strict' };
  }
  const { dryRun, level: asked } = writeOptions(query, 'CreateOptions');
  if (dryRun && !extension.triesDryRun && !extension.onlyReads) refuseDryRun(path);
  const level = extension.strict ? 'Strict' : asked;
  return { body: await schemaBody(request, extension.body ?? NOTHING, level, warn), dryRun, level };
}

/** What is taken where nothing is. */
const NOTHING: SchemaNode = { type: 'object', additionalProperties: false };

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
