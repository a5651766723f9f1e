/** core/v1 Secret. It is stored encrypted, and its values are shown nowhere but in the object itself. */
import type { FieldError } from '../../meta/error.ts';
import { defineKind, type KindDefinition } from '../define.ts';
import { decodedLength, fixedErrors, immutableFlag, keyErrors, MOST_DATA, normalizeBase64 } from './data.ts';
import { invalid, required, tooLong } from './mistakes.ts';
import { noSpec } from './no-spec.ts';

const OPAQUE = 'Opaque';

interface SecretFields {
  metadata: { annotations?: Record<string, string> };
  type?: string;
  data?: Record<string, string>;
  immutable?: boolean;
}

export const secret = defineKind({
  kind: 'Secret',
  group: '',
  plural: 'secrets',
  singular: 'secret',
  shortNames: [],
  scope: 'Namespaced',
  names: 'subdomain',
  description:
    'Passwords, keys, certificates, user data: values that are stored encrypted and shown to who may read the Secret only.',
  ...noSpec,
  fields: {
    type: 'object',
    additionalProperties: false,
    properties: {
      type: {
        type: 'string',
        default: OPAQUE,
        description: 'What it holds, such as Opaque (the default) or kubernetes.io/tls; it cannot be changed.',
      },
      data: {
        type: 'object',
        additionalProperties: { type: 'string', format: 'byte', 'x-plumb-sensitive': true },
        description: 'Values in base64, by key; at most 1 MiB in all.',
      },
      stringData: {
        type: 'object',
        additionalProperties: { type: 'string', 'x-plumb-sensitive': true },
        'x-plumb-terraform': false,
        description: 'Values as they are; the server puts them into data. Never read back.',
      },
      immutable: immutableFlag,
    },
  },
  columns: [
    { name: 'Type', path: 'type', type: 'string', description: 'What it holds.' },
    { name: 'Data', path: 'data', type: 'integer', shown: 'count', description: 'How many values it has.' },
  ],
  immutable: ['type'],
  references: [],
  disruption: {},
  selectable: ['type'],
  kept: ['type'],
  normalize,
  validate: secretErrors,
}) as KindDefinition;

/** What is to be written in plain text goes into data, where it wins. */
function normalize(secret: Record<string, unknown>): void {
  const { stringData } = secret;
  if (isTexts(stringData) && (secret.data === undefined || isRecord(secret.data))) {
    delete secret.stringData;
    const encoded = Object.entries(stringData).map(
      ([key, text]) => [key, Buffer.from(text).toString('base64')] as const,
    );
    if (encoded.length > 0) secret.data = { ...(secret.data as object | undefined), ...Object.fromEntries(encoded) };
  }
  normalizeBase64(secret.data);
  if (secret.type === undefined || secret.type === '') secret.type = OPAQUE;
}

/** pkg/apis/core/validation, ValidateSecret and ValidateSecretUpdate. Values are in no message. */
function secretErrors(secret: SecretFields, before?: SecretFields): FieldError[] {
  const { data = {}, type = OPAQUE } = secret;
  const errors = keyErrors('data', data);
  const bytes = Object.values(data).reduce((sum, value) => sum + decodedLength(value), 0);
  if (bytes > MOST_DATA) errors.push(tooLong('data', MOST_DATA));
  errors.push(...typeErrors(type, secret));
  if (before && type !== (before.type ?? OPAQUE)) errors.push(invalid('type', type, 'field is immutable'));
  errors.push(...fixedErrors({ ...secret }, before && { ...before }, ['data']));
  return errors;
}

function typeErrors(type: string, { data = {}, metadata }: SecretFields): FieldError[] {
  const expect = (...keys: string[]) =>
    keys.filter((key) => !Object.hasOwn(data, key)).map((key) => required(`data[${key}]`));
  switch (type) {
    case 'kubernetes.io/service-account-token': {
      const key = 'kubernetes.io/service-account.name';
      return metadata.annotations?.[key] ? [] : [required(`metadata.annotations[${key}]`)];
    }
    case 'kubernetes.io/dockercfg':
      return jsonErrors('.dockercfg', data);
    case 'kubernetes.io/dockerconfigjson':
      return jsonErrors('.dockerconfigjson', data);
    case 'kubernetes.io/basic-auth': {
      const missing = expect('username', 'password');
      return missing.length === 2 ? missing : [];
    }
    case 'kubernetes.io/ssh-auth':
      return data['ssh-privatekey'] ? [] : [required('data[ssh-privatekey]')];
    case 'kubernetes.io/tls':
      return expect('tls.crt', 'tls.key');
    default:
      return [];
  }
}

function jsonErrors(key: string, data: Readonly<Record<string, string>>): FieldError[] {
  if (!Object.hasOwn(data, key)) return [required(`data[${key}]`)];
  try {
    const parsed: unknown = JSON.parse(Buffer.from(data[key]!, 'base64').toString('utf8'));
    if (isRecord(parsed)) return [];
  } catch {
    // What the parser says repeats the text.
  }
  return [invalid(`data[${key}]`, '<secret contents redacted>', 'is no JSON object')];
}

function isTexts(value: unknown): value is Record<string, string> {
  return isRecord(value) && Object.values(value).every((text) => typeof text === 'string');
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
