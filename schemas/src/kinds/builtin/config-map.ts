/** core/v1 ConfigMap. */
import type { FieldError } from '../../meta/error.ts';
import { defineKind, type KindDefinition } from '../define.ts';
import { decodedLength, fixedErrors, immutableFlag, keyErrors, MOST_DATA, normalizeBase64 } from './data.ts';
import { invalid, tooLong } from './mistakes.ts';
import { noSpec } from './no-spec.ts';

interface ConfigMapFields {
  data?: Record<string, string>;
  binaryData?: Record<string, string>;
  immutable?: boolean;
}

export const configMap = defineKind({
  kind: 'ConfigMap',
  group: '',
  plural: 'configmaps',
  singular: 'configmap',
  shortNames: ['cm'],
  scope: 'Namespaced',
  names: 'subdomain',
  description: 'Texts and files that are no secret, by key.',
  ...noSpec,
  fields: {
    type: 'object',
    additionalProperties: false,
    properties: {
      data: {
        type: 'object',
        additionalProperties: { type: 'string' },
        description: 'Texts by key; with binaryData at most 1 MiB in all.',
      },
      binaryData: {
        type: 'object',
        additionalProperties: { type: 'string', format: 'byte' },
        description: 'What is no text, in base64, by key; no key may also be in data.',
      },
      immutable: immutableFlag,
    },
  },
  columns: [
    {
      name: 'Data',
      path: '',
      type: 'integer',
      shown: ({ data = {}, binaryData = {} }: ConfigMapFields) =>
        Object.keys(data).length + Object.keys(binaryData).length,
      description: 'How many entries it has.',
    },
  ],
  immutable: [],
  references: [],
  disruption: {},
  normalize: (object: Record<string, unknown>) => normalizeBase64(object.binaryData),
  validate: configMapErrors,
}) as KindDefinition;

/** pkg/apis/core/validation, ValidateConfigMap and ValidateConfigMapUpdate. */
function configMapErrors(object: ConfigMapFields, before?: ConfigMapFields): FieldError[] {
  const { data = {}, binaryData = {} } = object;
  const errors = keyErrors('data', data);
  for (const key of Object.keys(data))
    if (Object.hasOwn(binaryData, key))
      errors.push(invalid(`data[${key}]`, key, 'duplicate of key present in binaryData'));
  errors.push(...keyErrors('binaryData', binaryData));
  const bytes =
    Object.values(data).reduce((sum, text) => sum + Buffer.byteLength(text), 0) +
    Object.values(binaryData).reduce((sum, text) => sum + decodedLength(text), 0);
  if (bytes > MOST_DATA) errors.push(tooLong('', MOST_DATA));
  errors.push(...fixedErrors({ ...object }, before && { ...before }, ['data', 'binaryData']));
  return errors;
}
