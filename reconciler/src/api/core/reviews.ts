/** Reviews: who am I, and what may I do. The only user is the administrator, who may do everything. */

import { terminal } from '@plumb/schemas';
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { schemaBody } from '../body/schema-body.ts';
import type { Call, Handler } from '../call.ts';
import { badRequest } from '../failure.ts';
import { warningHeader } from '../modify.ts';
import { writeOptions } from '../options.ts';
import { json } from '../reply.ts';
import type { Served } from '../served.ts';

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';

const text: SchemaNode = { type: 'string' };
const closed = (properties: Record<string, SchemaNode>): SchemaNode => ({
  type: 'object',
  additionalProperties: false,
  properties,
});
/** Names and operators of a selector, which nothing here depends on. */
const selector: SchemaNode = {
  ...closed({ rawSelector: text }),
  additionalProperties: true,
};

/** The specs as k8s.io/api has them (authorization/v1). */
const ACCESS = closed({
  resourceAttributes: closed({
    ...{ namespace: text, verb: text, group: text, version: text, resource: text, subresource: text, name: text },
    ...{ fieldSelector: selector, labelSelector: selector },
  }),
  nonResourceAttributes: closed({ path: text, verb: text }),
});
const RULES = closed({ namespace: text });

interface Review {
  spec?: { resourceAttributes?: object; nonResourceAttributes?: object; namespace?: string };
  metadata?: object;
}

/** SelfSubjectReview, SelfSubjectAccessReview and SelfSubjectRulesReview. */
export function serveReviews(): Served[] {
  return [
    review(AUTHENTICATION, 'SelfSubjectReview', undefined, (call) => ({
      userInfo: { username: call.request.user?.name, groups: call.request.user?.groups },
    })),
    review(AUTHORIZATION, 'SelfSubjectAccessReview', ACCESS, (_, { spec }) => {
      if ((spec?.resourceAttributes === undefined) === (spec?.nonResourceAttributes === undefined)) {
        const message = 'exactly one of nonResourceAttributes or resourceAttributes must be specified';
        const field = 'spec.resourceAttributes';
        throw terminal('Invalid', `SelfSubjectAccessReview.${AUTHORIZATION} "" is invalid: ${field}: ${message}`, [
          { field, message },
        ]);
      }
      return { allowed: true, reason: 'administrator' };
    }),
    review(AUTHORIZATION, 'SelfSubjectRulesReview', RULES, (_, { spec }) => {
      if (!spec?.namespace) throw badRequest('no namespace on request');
      return {
        resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
        incomplete: false,
      };
    }),
  ];
}

function review(
  group: string,
  kind: string,
  spec: SchemaNode | undefined,
  statusOf: (call: Call, sent: Review) => Record<string, unknown>,
): Served {
  const plural = `${kind.toLowerCase()}s`;
  const open: SchemaNode = { type: 'object', additionalProperties: true };
  const schema = closed({
    apiVersion: { ...text, enum: [`${group}/v1`] },
    kind: { ...text, enum: [kind] },
    metadata: open,
    ...(spec ? { spec } : {}),
    status: open,
  });
  const create: Handler = async (call) => {
    const { request } = call;
    request.wrote = false;
    const { level } = writeOptions(request.query, 'CreateOptions');
    const warnings: string[] = [];
    // Clients that are newer ask for more, and are answered as far as is known here.
    const asked = request.query.get('fieldValidation') ? level : 'Warn';
    const sent = (await schemaBody(request, schema, asked, (more) => void warnings.push(...more))) as Review;
    const status = statusOf(call, sent);
    return json(
      201,
      {
        kind,
        apiVersion: `${group}/v1`,
        metadata: sent.metadata ?? {},
        ...(sent.spec === undefined ? {} : { spec: sent.spec }),
        status,
      },
      warnings.length > 0 ? { warning: warningHeader(warnings) } : undefined,
    );
  };
  return {
    names: {
      group,
      version: 'v1',
      kind,
      plural,
      singular: kind.toLowerCase(),
      shortNames: [],
      categories: [],
      scope: 'Cluster',
    },
    verbs: { create },
  };
}
