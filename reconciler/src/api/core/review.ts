/** A review: a question that is created, answered in its status, and not stored. */
import { PlumbError, terminal } from '@plumb/schemas';
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { schemaBody } from '../body/schema-body.ts';
import type { Call, Handler } from '../call.ts';
import { badRequest } from '../failure.ts';
import { warningHeader } from '../modify.ts';
import { writeOptions } from '../options.ts';
import { json } from '../reply.ts';
import type { Served } from '../served.ts';

export const text: SchemaNode = { type: 'string' };
export const texts: SchemaNode = { type: 'array', items: text };
export const open: SchemaNode = { type: 'object', additionalProperties: true };
export const closed = (properties: Record<string, SchemaNode>): SchemaNode => ({
  type: 'object',
  additionalProperties: false,
  properties,
});

export interface Review<Spec> {
  group: string;
  kind: string;
  scope?: 'Namespaced';
  /** Of the question; without it there is none. */
  spec?: SchemaNode;
  /** The question is not told again. */
  silent?: true;
  /** The answer. */
  statusOf(call: Call, spec: Spec, metadata: Record<string, unknown>): object | Promise<object>;
}

/** The body of a question, judged. What clients say that are newer is passed over, unless they want to know. */
export async function question<Spec>(
  call: Call,
  apiVersion: string,
  kind: string,
  spec: SchemaNode | undefined,
): Promise<{ sent: { spec?: Spec; metadata?: Record<string, unknown> }; headers?: Record<string, string> }> {
  const { request } = call;
  const { level } = writeOptions(request.query, 'CreateOptions');
  const schema = closed({
    apiVersion: { ...text, enum: [apiVersion] },
    kind: { ...text, enum: [kind] },
    metadata: open,
    ...(spec ? { spec } : {}),
    status: open,
  });
  const warnings: string[] = [];
  const asked = request.query.get('fieldValidation') ? level : 'Warn';
  const sent = await schemaBody(request, schema, asked, (more) => void warnings.push(...more), 'absent').catch(
    (error) => {
      // Kubernetes' decoder knows the types, and says so before it looks at what is asked.
      if (!(error instanceof PlumbError && error.reason === 'Invalid')) throw error;
      throw badRequest(`${kind} in version "v1" cannot be handled as a ${kind}: ${error.message}`);
    },
  );
  return {
    sent: sent as { spec?: Spec; metadata?: Record<string, unknown> },
    ...(warnings.length > 0 ? { headers: { warning: warningHeader(warnings) } } : {}),
  };
}

export function review<Spec>({ group, kind, scope, spec, silent, statusOf }: Review<Spec>): Served {
  const apiVersion = `${group}/v1`;
  const create: Handler = async (call) => {
    call.request.wrote = false;
    const { sent, headers } = await question<Spec>(call, apiVersion, kind, spec);
    const metadata = {
      ...sent.metadata,
      ...(scope === 'Namespaced' ? { namespace: call.namespace } : {}),
    };
    const status = await statusOf(call, (sent.spec ?? {}) as Spec, sent.metadata ?? {});
    const shown = spec === undefined ? {} : { spec: silent ? {} : withoutEmpty(sent.spec ?? {}) };
    return json(201, { kind, apiVersion, metadata, ...shown, status }, headers);
  };
  const singular = kind.toLowerCase();
  return {
    names: {
      ...{ group, version: 'v1', kind, plural: `${singular}s`, singular },
      ...{ shortNames: [], categories: [], scope: scope ?? 'Cluster' },
    },
    verbs: { create },
  };
}

/** As Go writes it: what is empty is left out. */
function withoutEmpty(value: object): object {
  return Object.fromEntries(
    Object.entries(value)
      .filter(([, one]) => one !== '')
      .map(([field, one]) => [field, isMap(one) ? withoutEmpty(one) : one]),
  );
}

function isMap(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** One mistake in a question. */
export function invalidReview(group: string, kind: string, field: string, message: string): PlumbError {
  const error = terminal('Invalid', `${kind}.${group} "" is invalid: ${field}: ${message}`, [{ field, message }]);
  return Object.assign(error, { about: { group, kind } });
}
