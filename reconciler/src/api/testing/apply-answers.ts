/** Answers to applies as they are compared with those of a kube-apiserver. */
import type { Asked } from './apply-requests.ts';

export interface Answered {
  status: number;
  body: unknown;
}

const TYPES = {
  APPLY: 'application/apply-patch+yaml',
  MERGE: 'application/merge-patch+json',
  JSON: 'application/json-patch+json',
};

/** As it is sent. */
export function requestOf({ method, by, path, body }: Asked) {
  const type = method === 'MERGE' || method === 'JSON' ? TYPES[method] : method ? 'application/json' : TYPES.APPLY;
  return {
    method: method === 'MERGE' || method === 'JSON' || !method ? 'PATCH' : method,
    path: by === undefined ? path : `${path}?fieldManager=${by}`,
    ...(body === undefined ? {} : { body, headers: { 'content-type': type } }),
  };
}

type Fields = Record<string, unknown>;

/**
 * Without uids, versions and times, entries of managedFields in one order. Of an object without the finalizer that Plumb puts on, and
 * of what was refused without the sentence where the two have words of their own.
 */
export function plain({ status, body }: Answered): unknown {
  const { metadata, ...rest } = body as Fields & { metadata: Fields };
  // What does not fit its schema is a 500 without a reason there; the sentence is the same.
  const unfit = String(rest.message).startsWith('failed to create typed patch object');
  if (unfit) return { code: 422, reason: 'Invalid', message: rest.message };
  if (rest.kind === 'Status') return { code: status, reason: rest.reason, ...sayings(rest) };
  const { uid: _u, resourceVersion: _r, creationTimestamp: _c, finalizers, managedFields, ...others } = metadata;
  const kept = ((finalizers ?? []) as string[]).filter((one) => !one.startsWith('plumb.dev/'));
  const entries: Fields[] = ((managedFields ?? []) as Fields[]).map(({ time: _, fieldsV1, ...entry }) => ({
    ...entry,
    fieldsV1: withoutOwn(fieldsV1 as Fields),
  }));
  const id = ({ manager, operation, subresource = '' }: Fields) => `${manager} ${operation} ${subresource}`;
  return {
    code: status,
    object: sorted({
      ...rest,
      metadata: {
        ...others,
        ...(kept.length > 0 ? { finalizers: kept } : {}),
        managedFields: entries.sort((a, b) => (id(a) < id(b) ? -1 : 1)),
      },
    }),
  };
}

/** There the finalizer is of who wrote before the first apply; here it is nobody's. */
function withoutOwn(fields: Fields): Fields {
  const metadata = fields['f:metadata'] as Fields | undefined;
  const finalizers = metadata?.['f:finalizers'] as Fields | undefined;
  if (!finalizers || !Object.keys(finalizers).some((step) => step.startsWith('v:"plumb.dev/'))) return fields;
  const left = Object.entries(finalizers).filter(([step]) => step !== '.' && !step.startsWith('v:"plumb.dev/'));
  const { 'f:finalizers': _, ...others } = metadata!;
  return {
    ...fields,
    'f:metadata': left.length > 0 ? { ...others, 'f:finalizers': Object.fromEntries(left) } : others,
  };
}

/** Conflicts of managers are told in the same words: kubectl prints them. */
function sayings({ message, details }: Fields): Fields {
  if (!String(message).startsWith('Apply failed with ')) return {};
  const { causes = [] } = (details ?? {}) as { causes?: Fields[] };
  return { message, causes: causes.map(({ message: said, field }) => `${said}: ${field}`).sort() };
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields.map(([key, field]) => [key, sorted(field)]));
}
