/**
 * Kinds that are created, answered and not stored (reviews): what the server knows beyond the API answers them. They stand in
 * discovery and OpenAPI as any kind does.
 */
import type { KindDefinition } from '@plumb/schemas';
import { API_GROUP, API_GROUP_VERSION, API_VERSION } from '@plumb/schemas';
import { type SchemaNode, schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import type { ReviewDefinition } from '@plumb/schemas/reviews/define.ts';
import type { ResourceAttributes } from '../authorization/policy.ts';
import type { User } from '../pki/tokens.ts';
import { type Access, authorize, resourceAttributes } from './authorize.ts';
import { schemaBody } from './body/schema-body.ts';
import type { Handler } from './call.ts';
import { warningHeader } from './modify.ts';
import { type FieldValidation, writeOptions } from './options.ts';
import { json } from './reply.ts';
import type { Served } from './served.ts';

export interface AnsweredKind {
  definition: ReviewDefinition;
  /** The status; `spec` is as the schema says. A PlumbError that it throws becomes a Status. */
  answer(spec: unknown, request: Asking): Promise<object>;
}

export interface Asking {
  user: User;
  /** Throws {@link Forbidden} when who asks may not do it. The right to ask the question at all was looked at before. */
  authorize(asked: Partial<ResourceAttributes> & Pick<ResourceAttributes, 'verb' | 'resource'>, why: string): void;
  /** Whether who asks may do it. */
  may(asked: Partial<ResourceAttributes> & Pick<ResourceAttributes, 'verb' | 'resource'>): boolean;
  /** What becomes of unknown fields of objects in the question. */
  level: FieldValidation;
  /** Sentences for the Warning header. */
  warn(sentences: readonly string[]): void;
}

export function serveAnswered({ definition, answer }: AnsweredKind, access: Access): Served {
  const { kind, plural, singular, description, spec, status } = definition;
  const schema = bodyOf(definition);
  const create: Handler = async ({ request }) => {
    // Nothing is written, so there is nothing that a dry run would leave out.
    request.wrote = false;
    const warnings: string[] = [];
    const warn = (sentences: readonly string[]) => void warnings.push(...sentences);
    const { level } = writeOptions(request.query, 'CreateOptions');
    const sent = (await schemaBody(request, schema, level, warn)) as { metadata?: object; spec?: object };
    const user = request.user!;
    const answered = await answer(sent.spec ?? {}, {
      ...{ user, level, warn },
      authorize: (asked, why) => authorize(access, user, resourceAttributes(asked), why),
      may: (asked) => access.decide(user, resourceAttributes(asked)).allowed,
    });
    const { metadata = {} } = sent;
    const headers = warnings.length > 0 ? { warning: warningHeader(warnings) } : undefined;
    return json(201, { apiVersion: API_GROUP_VERSION, kind, metadata, spec: {}, status: answered }, headers);
  };
  const names = { kind, plural, singular, shortNames: [], categories: [], scope: 'Cluster' as const };
  return {
    names: { group: API_GROUP, version: API_VERSION, ...names },
    verbs: { create },
    openApi: {
      ...{ kind, plural, scope: 'Cluster', description, hasStatus: false, verbs: new Set(['create']) },
      properties: {
        spec: { description: 'The question.', ...schemaNode(spec) },
        status: { description: 'The answer; written by the server.', ...schemaNode(status) },
      },
    },
  };
}

/** What of a status or metadata is sent is sent in vain, and is no mistake: clients send whole objects. */
function bodyOf({ kind, spec }: Pick<KindDefinition, 'kind' | 'spec'>): SchemaNode {
  const open: SchemaNode = { type: 'object', additionalProperties: true };
  return {
    type: 'object',
    additionalProperties: false,
    properties: {
      apiVersion: { type: 'string', enum: [API_GROUP_VERSION] },
      kind: { type: 'string', enum: [kind] },
      metadata: open,
      spec: schemaNode(spec),
      status: open,
    },
  };
}
