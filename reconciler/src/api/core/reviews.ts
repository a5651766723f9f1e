/** Reviews: who am I, and what may I do. The only user is the administrator, who may do everything. */

import type { Call, Handler } from '../call.ts';
import { badRequest } from '../failure.ts';
import { writeOptions } from '../options.ts';
import { json } from '../reply.ts';
import type { Served } from '../served.ts';

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';

/** SelfSubjectReview, SelfSubjectAccessReview and SelfSubjectRulesReview. */
export function serveReviews(): Served[] {
  return [
    review(AUTHENTICATION, 'SelfSubjectReview', (call) => ({
      userInfo: { username: call.request.user?.name, groups: call.request.user?.groups },
    })),
    review(AUTHORIZATION, 'SelfSubjectAccessReview', () => ({ allowed: true, reason: 'administrator' })),
    review(AUTHORIZATION, 'SelfSubjectRulesReview', () => ({
      resourceRules: [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      incomplete: false,
    })),
  ];
}

function review(group: string, kind: string, statusOf: (call: Call) => Record<string, unknown>): Served {
  const plural = `${kind.toLowerCase()}s`;
  const create: Handler = async (call) => {
    call.request.wrote = false;
    writeOptions(call.request.query, 'CreateOptions');
    const sent = await call.request.json();
    if (typeof sent !== 'object' || sent === null || Array.isArray(sent)) throw badRequest(`the body is no ${kind}`);
    const { spec, metadata } = sent as { spec?: unknown; metadata?: unknown };
    return json(201, {
      kind,
      apiVersion: `${group}/v1`,
      metadata: metadata ?? {},
      ...(spec === undefined ? {} : { spec }),
      status: statusOf(call),
    });
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
