/** Violations of a schema as sentences: the rule, the value that was given, what is known. */
import type { ErrorObject } from 'ajv';
import type { FieldError } from '../meta/error.ts';
import { shown } from './shown.ts';
import { nearest } from './validate-nearest.ts';
import { joinPath, pathOfPointer } from './validate-path.ts';
import { isSensitive, type SchemaNode } from './validate-schema.ts';

/** The sentence for one error of ajv (run with `verbose`), or undefined when another error says the same. */
export function fieldError(error: ErrorObject, root: unknown, schema: SchemaNode): FieldError | undefined {
  const parent = (error.parentSchema ?? {}) as SchemaNode;
  const path = pathOfPointer(error.instancePath, root);
  const params = error.params as Record<string, unknown>;
  const secret = hasSensitive(schema, error.instancePath);
  const given = secret ? 'a value that is not shown' : shown(error.data);
  const at = (message: string): FieldError => ({ field: path, message });
  switch (error.keyword) {
    case 'required': {
      const missing = params.missingProperty as string;
      return { field: joinPath(path, missing), message: `is required${about(parent.properties?.[missing])}` };
    }
    case 'additionalProperties': {
      const key = params.additionalProperty as string;
      return { field: joinPath(path, key), message: unknownField(key, Object.keys(parent.properties ?? {})) };
    }
    case 'type':
      return at(
        `must be ${article(String(params.type))}, but is ${given}${secret ? '' : ` (${typeName(error.data)})`}`,
      );
    case 'enum':
      return at(oneOf(parent.enum ?? [], error.data, given));
    case 'minimum':
      return at(`must be at least ${params.limit}, but is ${given}`);
    case 'maximum':
      return at(`must be at most ${params.limit}, but is ${given}`);
    case 'minLength':
      return at(`must have at least ${params.limit} characters, but is ${given}`);
    case 'maxLength':
      return at(`must have at most ${params.limit} characters, but has ${[...String(error.data)].length}`);
    case 'minItems':
      return at(`must have at least ${counted(params.limit, 'item')}, but has ${(error.data as unknown[]).length}`);
    case 'maxItems':
      return at(`must have at most ${counted(params.limit, 'item')}, but has ${(error.data as unknown[]).length}`);
    case 'pattern':
      if (error.propertyName !== undefined) {
        return at(`has the key ${shown(error.propertyName)}, which must match ${params.pattern}${about(parent)}`);
      }
      return at(`must match ${params.pattern}, but is ${given}${about(parent)}`);
    case 'format':
      return at(`must be ${formatName(String(params.format))}, but is ${given}`);
    case 'x-kubernetes-list-map-keys':
      return { field: joinPath(path, params.index as number), message: String(error.message) };
    case 'propertyNames':
      return undefined;
    default:
      return at(`${error.message ?? `breaks the rule ${error.keyword}`}; it is ${given}`);
  }
}

/** The sentence for a field that no schema knows. */
export function unknownField(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  if (meant !== undefined) return `is not a known field: did you mean ${JSON.stringify(meant)}?`;
  if (known.length === 0) return 'is not a known field: no field is allowed here';
  return `is not a known field; known here: ${known.join(', ')}`;
}

function oneOf(allowed: readonly unknown[], value: unknown, given: string): string {
  const words = allowed.map((word) => (typeof word === 'string' ? word : JSON.stringify(word)));
  const rule = words.length === 1 ? `must be ${words[0]}` : `must be one of ${words.join(', ')}`;
  const meant = typeof value === 'string' && words.length > 1 ? nearest(value, words) : undefined;
  return `${rule}, but is ${given}${meant === undefined ? '' : `: did you mean ${JSON.stringify(meant)}?`}`;
}

function about(schema: SchemaNode | undefined): string {
  return schema?.description ? `: ${schema.description}` : '';
}

function article(type: string): string {
  return /^[aeiou]/.test(type) ? `an ${type}` : `a ${type}`;
}

function typeName(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'number') return Number.isInteger(value) ? 'an integer' : 'a number';
  return article(typeof value);
}

function counted(count: unknown, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}

function formatName(format: string): string {
  if (format === 'ipv4') return 'an IPv4 address';
  if (format === 'ipv6') return 'an IPv6 address';
  if (format === 'cidr') return 'an IPv4 subnet with its prefix length, such as 10.20.0.0/24';
  return `a valid ${format}`;
}

function hasSensitive(schema: SchemaNode, pointer: string): boolean {
  let node: SchemaNode | undefined = schema;
  for (const segment of pointer.split('/').slice(1)) {
    if (isSensitive(node)) return true;
    const key = segment.replaceAll('~1', '/').replaceAll('~0', '~');
    node =
      node?.properties?.[key] ??
      node?.items ??
      (typeof node?.additionalProperties === 'object' ? node.additionalProperties : undefined);
  }
  return isSensitive(node);
}
