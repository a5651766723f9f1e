/** Reviews: who am I, what may I do, what may somebody else do, and whose token is this. */
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { EVERYTHING } from '../../authorization/covers.ts';
import { type Attributes, type Identity, MASTERS } from '../../authorization/policy.ts';
import { type Access, resourceAttributes } from '../authorize.ts';
import { badRequest } from '../failure.ts';
import type { Served } from '../served.ts';
import { closed, invalidReview, open, review, text, texts } from './review.ts';

const AUTHENTICATION = 'authentication.k8s.io';
const AUTHORIZATION = 'authorization.k8s.io';

/** Names and operators of a selector, which nothing here depends on. */
const selector: SchemaNode = { ...closed({ rawSelector: text }), additionalProperties: true };

/** The specs as k8s.io/api has them (authorization/v1, authentication/v1). */
const ATTRIBUTES = {
  resourceAttributes: closed({
    ...{ namespace: text, verb: text, group: text, version: text, resource: text, subresource: text, name: text },
    ...{ fieldSelector: selector, labelSelector: selector },
  }),
  nonResourceAttributes: closed({ path: text, verb: text }),
};
const SUBJECT = closed({ ...ATTRIBUTES, user: text, groups: texts, uid: text, extra: open });

interface AccessSpec {
  resourceAttributes?: Partial<Record<'namespace' | 'verb' | 'group' | 'resource' | 'subresource' | 'name', string>>;
  nonResourceAttributes?: { path?: string; verb?: string };
}

interface SubjectSpec extends AccessSpec {
  user?: string;
  groups?: string[];
}

/** Whose token it is, for which of the audiences; undefined for a token that is not known. */
export type LookAtToken = (
  token: string,
  audiences: readonly string[],
) => { user: Identity; audiences: readonly string[] } | undefined;

export function serveReviews(access: Access, lookAt: LookAtToken): Served[] {
  const decided = (who: Identity, spec: AccessSpec) => {
    const { allowed, reason } = access.decide(who, attributesOf(spec));
    return { allowed, ...(reason === '' ? {} : { reason }) };
  };
  return [
    review({
      group: AUTHENTICATION,
      kind: 'SelfSubjectReview',
      statusOf: ({ request }) => ({ userInfo: userInfo(request.user!) }),
    }),
    review<{ token?: string; audiences?: string[] }>({
      group: AUTHENTICATION,
      kind: 'TokenReview',
      spec: closed({ token: text, audiences: texts }),
      statusOf: (_, { token = '', audiences = [] }) => {
        if (token === '') throw badRequest('token is required for TokenReview in authentication');
        const known = lookAt(token, audiences);
        if (!known) return { user: {}, error: 'the token is not known here' };
        return { authenticated: true, user: userInfo(known.user), audiences: known.audiences };
      },
    }),
    review<AccessSpec>({
      group: AUTHORIZATION,
      kind: 'SelfSubjectAccessReview',
      spec: closed(ATTRIBUTES),
      statusOf: ({ request }, spec) => {
        expectOne('SelfSubjectAccessReview', spec);
        return decided(request.user!, spec);
      },
    }),
    review<SubjectSpec>({
      group: AUTHORIZATION,
      kind: 'SubjectAccessReview',
      spec: SUBJECT,
      statusOf: (_, spec) => decided(subjectOf('SubjectAccessReview', spec), spec),
    }),
    review<SubjectSpec>({
      group: AUTHORIZATION,
      kind: 'LocalSubjectAccessReview',
      scope: 'Namespaced',
      spec: SUBJECT,
      statusOf: ({ namespace }, spec, metadata) => {
        const kind = 'LocalSubjectAccessReview';
        const who = subjectOf(kind, spec);
        if (namespace === undefined || (metadata.namespace !== undefined && metadata.namespace !== namespace))
          throw badRequest(`metadata.namespace must match the namespace of the path: ${namespace}`);
        if (spec.nonResourceAttributes)
          throw invalidReview(
            AUTHORIZATION,
            kind,
            'spec.nonResourceAttributes',
            `Invalid value: ${goText(spec.nonResourceAttributes)}: disallowed on this kind of request`,
          );
        if (spec.resourceAttributes?.namespace !== namespace)
          throw invalidReview(
            ...([AUTHORIZATION, kind] as const),
            'spec.resourceAttributes.namespace',
            `Invalid value: ${JSON.stringify(spec.resourceAttributes?.namespace ?? '')}: must match metadata.namespace`,
          );
        return decided(who, spec);
      },
    }),
    review<{ namespace?: string }>({
      group: AUTHORIZATION,
      kind: 'SelfSubjectRulesReview',
      silent: true,
      spec: closed({ namespace: text }),
      statusOf: ({ request }, { namespace }) => {
        if (!namespace) throw badRequest('no namespace on request');
        return rulesOf(access, request.user!, namespace);
      },
    }),
  ];
}

function rulesOf(access: Access, who: Identity, namespace: string) {
  const found = access.rulesFor(who, namespace);
  // What the policy says of them is not asked.
  const rules = who.groups.includes(MASTERS) ? EVERYTHING : found.rules;
  return {
    resourceRules: rules
      .filter(({ resources }) => (resources?.length ?? 0) > 0)
      .map(({ verbs, apiGroups, resources, resourceNames }) => ({ verbs, apiGroups, resources, resourceNames })),
    nonResourceRules: rules
      .filter(({ nonResourceURLs }) => (nonResourceURLs?.length ?? 0) > 0)
      .map(({ verbs, nonResourceURLs }) => ({ verbs, nonResourceURLs })),
    incomplete: false,
    ...(found.errors.length > 0 ? { evaluationError: found.errors.join(', ') } : {}),
  };
}

function attributesOf({ resourceAttributes, nonResourceAttributes }: AccessSpec): Attributes {
  if (!resourceAttributes) return { verb: nonResourceAttributes?.verb ?? '', path: nonResourceAttributes?.path ?? '' };
  const { verb = '', resource = '', group, subresource, namespace, name } = resourceAttributes;
  return resourceAttributesOf({ verb, resource, group, subresource, namespace, name });
}

function resourceAttributesOf(asked: Record<string, string | undefined>): Attributes {
  const given = Object.fromEntries(Object.entries(asked).filter(([, value]) => value !== undefined));
  return resourceAttributes(given as { verb: string; resource: string });
}

function expectOne(kind: string, { resourceAttributes, nonResourceAttributes }: AccessSpec): void {
  if (resourceAttributes && nonResourceAttributes)
    throw invalidReview(
      ...([AUTHORIZATION, kind, 'spec.nonResourceAttributes'] as const),
      `Invalid value: ${goText(nonResourceAttributes)}: cannot be specified in combination with resourceAttributes`,
    );
  if (!resourceAttributes && !nonResourceAttributes)
    throw invalidReview(
      ...([AUTHORIZATION, kind, 'spec.resourceAttributes'] as const),
      'Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified',
    );
}

function goText({ path = '', verb = '' }: NonNullable<AccessSpec['nonResourceAttributes']>): string {
  return JSON.stringify({ Path: path.slice(0, 253), Verb: verb.slice(0, 253) });
}

function subjectOf(kind: string, spec: SubjectSpec): Identity {
  expectOne(kind, spec);
  const { user = '', groups = [] } = spec;
  if (user === '' && groups.length === 0)
    throw invalidReview(
      AUTHORIZATION,
      kind,
      'spec.user',
      'Invalid value: "": at least one of user or group must be specified',
    );
  return { name: user, groups };
}

function userInfo({ name, uid, groups, extra }: Identity) {
  return { username: name, ...(uid === undefined ? {} : { uid }), groups, ...(extra ? { extra } : {}) };
}
