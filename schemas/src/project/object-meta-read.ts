/**
 * Metadata as Kubernetes' decoder reads it, whatever the kind: it knows the type of every field, and says in its own words where a
 * value has another one (encoding/json of Go, UnmarshalTypeError).
 */

type Reader = (value: unknown) => string | undefined;

/** What Go calls a JSON value. */
function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'boolean') return 'bool';
  return value === null ? 'null' : typeof value;
}

const mismatch = (value: unknown, field: string, type: string) =>
  `json: cannot unmarshal ${kindOf(value)} into Go struct field ${field} of type ${type}`;

/** Null stands for nothing there. */
const scalar =
  (is: 'string' | 'boolean', field: string, type: string): Reader =>
  (value) =>
    value === null || typeof value === is ? undefined : mismatch(value, field, type);

function whole(field: string): Reader {
  return (value) => {
    if (value === null || Number.isSafeInteger(value)) return undefined;
    if (typeof value !== 'number') return mismatch(value, field, 'int64');
    return `json: cannot unmarshal number ${value} into Go struct field ${field} of type int64`;
  };
}

const RFC_3339 = /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

function time(field: string): Reader {
  return (value) => {
    if (value === null) return undefined;
    if (typeof value !== 'string') return mismatch(value, field, 'string');
    if (RFC_3339.test(value) && !Number.isNaN(Date.parse(value))) return undefined;
    const said = JSON.stringify(value.slice(0, 80));
    const rest = /^\d{4}/.test(value) ? JSON.stringify(value.slice(4, 84)) : said;
    const part = rest === said ? '2006' : '-';
    return `parsing time ${said} as "2006-01-02T15:04:05Z07:00": cannot parse ${rest} as "${part}"`;
  };
}

function texts(field: string): Reader {
  return (value) => {
    if (value === null) return undefined;
    if (!isRecord(value)) return mismatch(value, field, 'map[string]string');
    for (const key of Object.keys(value).sort())
      if (value[key] !== null && typeof value[key] !== 'string') return mismatch(value[key], field, 'string');
    return undefined;
  };
}

function listOf(field: string, type: string, item: Reader): Reader {
  return (value) => {
    if (value === null) return undefined;
    if (!Array.isArray(value)) return mismatch(value, field, `[]${type}`);
    for (const one of value) {
      const wrong = item(one);
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

function fields(field: string, type: string, known: Readonly<Record<string, Reader>>): Reader {
  return (value) => {
    if (value === null) return undefined;
    if (!isRecord(value)) return mismatch(value, field, type);
    for (const key of Object.keys(value).sort()) {
      const wrong = Object.hasOwn(known, key) ? known[key]!(value[key]) : undefined;
      if (wrong !== undefined) return wrong;
    }
    return undefined;
  };
}

const text = (field: string, type = 'string') => scalar('string', field, type);
const owner = (field: string) => `OwnerReference.ownerReferences.${field}`;
const entry = (field: string) => `ManagedFieldsEntry.managedFields.${field}`;
const of = (field: string) => `ObjectMeta.${field}`;

const FIELDS: Readonly<Record<string, Reader>> = {
  ...Object.fromEntries(
    ['name', 'generateName', 'namespace', 'selfLink', 'resourceVersion'].map((field) => [field, text(of(field))]),
  ),
  uid: text(of('uid'), 'types.UID'),
  generation: whole(of('generation')),
  deletionGracePeriodSeconds: whole(of('deletionGracePeriodSeconds')),
  creationTimestamp: time(of('creationTimestamp')),
  deletionTimestamp: time(of('deletionTimestamp')),
  labels: texts(of('labels')),
  annotations: texts(of('annotations')),
  finalizers: listOf(of('finalizers'), 'string', text(of('finalizers'))),
  ownerReferences: listOf(
    of('ownerReferences'),
    'v1.OwnerReference',
    fields(of('ownerReferences'), 'v1.OwnerReference', {
      apiVersion: text(owner('apiVersion')),
      kind: text(owner('kind')),
      name: text(owner('name')),
      uid: text(owner('uid'), 'types.UID'),
      controller: scalar('boolean', owner('controller'), 'bool'),
      blockOwnerDeletion: scalar('boolean', owner('blockOwnerDeletion'), 'bool'),
    }),
  ),
  managedFields: listOf(
    of('managedFields'),
    'v1.ManagedFieldsEntry',
    fields(of('managedFields'), 'v1.ManagedFieldsEntry', {
      ...Object.fromEntries(
        ['manager', 'apiVersion', 'fieldsType', 'subresource'].map((field) => [field, text(entry(field))]),
      ),
      operation: text(entry('operation'), 'v1.ManagedFieldsOperationType'),
      time: time(entry('time')),
    }),
  ),
};

/** Why the value cannot be read as metadata; undefined when it can. The first one of the fields counts, by name. */
export function unreadableMetadata(metadata: unknown): string | undefined {
  if (metadata === null || metadata === undefined) return undefined;
  if (!isRecord(metadata)) return `json: cannot unmarshal ${kindOf(metadata)} into Go value of type v1.ObjectMeta`;
  for (const field of Object.keys(metadata).sort()) {
    const wrong = Object.hasOwn(FIELDS, field) ? FIELDS[field]!(metadata[field]) : undefined;
    if (wrong !== undefined) return wrong;
  }
  return undefined;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
