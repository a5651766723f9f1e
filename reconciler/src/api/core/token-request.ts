/** `POST /api/v1/namespaces/lab/serviceaccounts/ci/token`: a token with which a program is this ServiceAccount for a while. */
import type { PlumbObject } from '@plumb/schemas';
import { timestamp } from '@plumb/schemas/meta/timestamp.ts';
import type { SchemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { type AccountTokens, ISSUER } from '../../pki/account-tokens.ts';
import { keys } from '../../store/keys.ts';
import { decodeObject } from '../../store/object-codec.ts';
import type { Store } from '../../store/store.ts';
import type { ApiContext, Call } from '../call.ts';
import { badRequest, notFound } from '../failure.ts';
import { refuseDryRun } from '../options.ts';
import { json } from '../reply.ts';
import type { Subresource } from '../served.ts';
import { closed, invalidReview, question, text, texts } from './review.ts';

const GROUP = 'authentication.k8s.io';
const KIND = 'TokenRequest';
const SPEC: SchemaNode = closed({
  audiences: texts,
  expirationSeconds: { type: 'integer' },
  boundObjectRef: closed({ kind: text, apiVersion: text, name: text, uid: text }),
});

interface Spec {
  audiences?: string[];
  expirationSeconds?: number;
  boundObjectRef?: { kind?: string };
}

const HOUR_SECONDS = 3_600;
const LEAST_SECONDS = 600;
/** Of one token. Kubernetes has no such bound. */
const MOST_AUDIENCES = 16;

/** `upToDate`: resolves when tokens of what is stored now are known. */
export function tokenSubresource(
  context: ApiContext,
  store: Store,
  tokens: Pick<AccountTokens, 'issue'>,
  upToDate: () => Promise<void>,
): Subresource {
  const create = async (call: Call) => {
    const { request, namespace = '', name } = call;
    if (request.query.has('dryRun')) refuseDryRun(request.path);
    const { sent, headers } = await question<Spec>(call, `${GROUP}/v1`, KIND, SPEC);
    const { audiences, seconds } = wished(sent.spec ?? {}, context.limits.accountTokenSeconds);
    const { name: named = name } = (sent.metadata ?? {}) as { name?: unknown };
    if (named !== name)
      throw badRequest('the name of the token request must be that of the ServiceAccount in the path');
    const entry = await store.get(keys.object('serviceaccounts', namespace, name));
    if (!entry) throw notFound('serviceaccounts', '', name);
    const { uid } = decodeObject<PlumbObject>(entry).metadata;
    await upToDate();
    const { token, expiresAt } = tokens.issue({ namespace, name, uid }, audiences, seconds);
    return json(
      201,
      {
        kind: KIND,
        apiVersion: `${GROUP}/v1`,
        metadata: { name, namespace, creationTimestamp: timestamp(context.ambient.clock.now()) },
        spec: { audiences, expirationSeconds: seconds, boundObjectRef: null },
        status: { token, expirationTimestamp: timestamp(expiresAt) },
      },
      headers,
    );
  };
  return { names: { group: GROUP, version: 'v1', kind: KIND }, verbs: { create } };
}

function wished({ audiences = [], expirationSeconds: seconds = HOUR_SECONDS, boundObjectRef }: Spec, longest: number) {
  const refuse = (field: string, message: string) => invalidReview(GROUP, KIND, `spec.${field}`, message);
  if (seconds < LEAST_SECONDS)
    throw refuse('expirationSeconds', `Invalid value: ${seconds}: may not specify a duration less than 10 minutes`);
  if (seconds > longest)
    throw refuse(
      'expirationSeconds',
      `Invalid value: ${seconds}: may not specify a duration larger than ${longest} seconds`,
    );
  if (audiences.length > MOST_AUDIENCES || audiences.some((one) => one === '' || one.length > 253))
    throw refuse('audiences', `Invalid value: at most ${MOST_AUDIENCES} of at most 253 characters each`);
  if (boundObjectRef)
    throw badRequest(
      `cannot bind a token to a ${(boundObjectRef.kind ?? '').slice(0, 63)}: it is bound to its ServiceAccount`,
    );
  return { audiences: audiences.length > 0 ? [...new Set(audiences)] : [ISSUER], seconds };
}
