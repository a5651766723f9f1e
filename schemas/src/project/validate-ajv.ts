/** ajv as the validators use it: every violation at once, no coercion, and Kubernetes' list maps as a keyword. */
import { Ajv, type AnySchema, type ErrorObject, type ValidateFunction } from 'ajv';
import formats from 'ajv-formats';
import { shown } from './shown.ts';

/** An IPv4 address and a prefix length, each without leading zeros, as Kubernetes' format of that name. */
const CIDR = /^((25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(\.(?!\/)|(?=\/))){4}\/(3[0-2]|[12]?\d)$/;

let shared: Ajv | undefined;

/** Compiles a schema. Takes some milliseconds: keep the result. */
export function compile(schema: unknown): ValidateFunction {
  shared ??= createAjv();
  return shared.compile(schema as AnySchema);
}

type KeywordFunction = ((keys: readonly string[], list: unknown[]) => boolean) & { errors?: Partial<ErrorObject>[] };

function createAjv(): Ajv {
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: true, strictRequired: false, strictTypes: false });
  formats.default(ajv, ['ipv4', 'ipv6', 'date-time', 'uri']);
  ajv.addFormat('cidr', CIDR);
  ajv.addVocabulary(['x-plumb-sensitive', 'x-plumb-settled', 'x-plumb-altered-by', 'x-kubernetes-list-type']);
  ajv.addKeyword({
    keyword: 'x-kubernetes-list-map-keys',
    type: 'array',
    errors: true,
    validate: uniqueKeys,
  });
  return ajv;
}

/** Two items of a list map must differ in their keys (Kubernetes API conventions, `listType=map`). */
const uniqueKeys: KeywordFunction = (keys, list) => {
  const first = new Map<string, number>();
  const errors: Partial<ErrorObject>[] = [];
  list.forEach((item, index) => {
    if (typeof item !== 'object' || item === null) return;
    const values = keys.map((key) => (item as Record<string, unknown>)[key]);
    if (values.some((value) => value === undefined)) return;
    const identity = JSON.stringify(values);
    const before = first.get(identity);
    if (before === undefined) first.set(identity, index);
    else {
      errors.push({
        keyword: 'x-kubernetes-list-map-keys',
        params: { index },
        message: `has the same ${keys.join(' and ')} as item ${before}: ${shown(values.length === 1 ? values[0] : values)}`,
      });
    }
  });
  uniqueKeys.errors = errors;
  return errors.length === 0;
};
