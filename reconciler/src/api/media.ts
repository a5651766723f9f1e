/**
 * In which encoding, and as what, a client wants an answer. The rules are those of a Kubernetes API server, which are not all of
 * RFC 9110: a parameter may ask for another form of the object, and a clause whose form there is not is passed over.
 */
import { type PlumbError, terminal } from '@plumb/schemas';
import { stringify } from 'yaml';
import { PROTOBUF_TYPE } from './protobuf-reply.ts';
import type { Reply } from './reply.ts';
import { JSON_TYPE } from './reply.ts';

export const YAML_TYPE = 'application/yaml';

/** A media range with its parameters. */
export interface Clause {
  type: string;
  subtype: string;
  q: number;
  parameters: ReadonlyMap<string, string>;
}

/** What the header names, in the order in which Kubernetes looks at it. What is no media range is left out. */
export function clausesOf(header: string): Clause[] {
  const clauses: Clause[] = [];
  for (const part of header.split(',')) {
    const [range = '', ...rest] = part.split(';');
    const [type = '', subtype = type.trim() === '*' ? '*' : '', ...more] = range.split('/').map((word) => word.trim());
    if (subtype === '' || more.length > 0) continue;
    const parameters = new Map<string, string>();
    let q = 1;
    for (const parameter of rest) {
      const [name = '', value = '', ...others] = parameter.split('=').map((word) => word.trim());
      if (value === '' || others.length > 0) continue;
      if (name === 'q') q = Number(value) || 0;
      else parameters.set(name, value);
    }
    clauses.push({ type, subtype, q, parameters });
  }
  return sorted(clauses);
}

/** Go sorts short slices by insertion, with a comparison that is no order: where it counts, that decides. */
const SHORT = 12;

function sorted(clauses: Clause[]): Clause[] {
  if (clauses.length > SHORT) return clauses.sort((a, b) => b.q - a.q);
  for (let end = 1; end < clauses.length; end++)
    for (let at = end; at > 0 && before(clauses[at]!, clauses[at - 1]!); at--)
      [clauses[at], clauses[at - 1]] = [clauses[at - 1]!, clauses[at]!];
  return clauses;
}

function before(a: Clause, b: Clause): boolean {
  if (a.q > b.q) return true;
  if (a.type !== '*' && b.type === '*') return true;
  return a.subtype !== '*' && b.subtype === '*';
}

export type Encoding = 'json' | 'yaml' | 'protobuf';

const ENCODINGS: readonly Encoding[] = ['json', 'yaml', 'protobuf'];
const SUBTYPES: Record<Encoding, string> = { json: 'json', yaml: 'yaml', protobuf: 'vnd.kubernetes.protobuf' };

/** The media types of objects, as refusals name them. */
export const OBJECT_TYPES: readonly string[] = [JSON_TYPE, YAML_TYPE, PROTOBUF_TYPE];

/** What a watch can be sent as. */
export const STREAM_TYPES: readonly string[] = [`${JSON_TYPE};stream=watch`, `${PROTOBUF_TYPE};stream=watch`];

/** As what the client wants an object: `as=Table;g=meta.k8s.io;v=v1`. */
export interface Target {
  group: string;
  version: string;
  kind: string;
}

export interface Negotiated {
  encoding: Encoding;
  target: Target | undefined;
}

/** Whether there is an answer of that form in that encoding; without a target it is the object as it is. */
export type Allows = (encoding: Encoding, target: Target | undefined) => boolean;

/** What has one form only, in every encoding. */
export const AS_IT_IS: Allows = (_, target) => target === undefined;

/** What is to be sent; undefined when nothing that there is is acceptable. */
export function negotiate(header: string, allows: Allows, isObject = false): Negotiated | undefined {
  if (header === '') return { encoding: 'json', target: undefined };
  for (const { type, subtype, parameters } of clausesOf(header)) {
    for (const encoding of ENCODINGS) {
      const fits =
        (type === 'application' && (subtype === SUBTYPES[encoding] || subtype === '*')) ||
        (type === '*' && subtype === '*');
      if (!fits || !served(parameters, isObject)) continue;
      const target = targetOf(parameters);
      if (allows(encoding, target)) return { encoding, target };
    }
  }
  return undefined;
}

/** What is sent piece by piece is a watch, and of objects there is one version of the API. */
function served(parameters: Clause['parameters'], isObject: boolean): boolean {
  const version = parameters.get('sv');
  return (
    ['watch', undefined].includes(parameters.get('stream')) && (version === undefined || (isObject && version === 'v1'))
  );
}

function targetOf(parameters: Clause['parameters']): Target | undefined {
  const [kind, group, version] = ['as', 'g', 'v'].map((name) => parameters.get(name));
  if (kind === undefined && group === undefined && version === undefined) return undefined;
  return { kind: kind ?? '', group: group ?? '', version: version ?? '' };
}

/** In Kubernetes' words. */
export function notAcceptable(types: readonly string[] = OBJECT_TYPES): PlumbError {
  return terminal('NotAcceptable', `only the following media types are accepted: ${types.join(', ')}`);
}

/** In Kubernetes' words. */
export function unsupported(types: readonly string[] = OBJECT_TYPES): PlumbError {
  return terminal(
    'UnsupportedMediaType',
    `the body of the request was in an unknown format - accepted media types include: ${types.join(', ')}`,
  );
}

/** What is longer stays JSON, which is YAML, too: to write it in lines would take the server's time from others. */
const MOST_IN_LINES = 256 * 1024;

/** The reply as YAML. */
export function asYaml(reply: Reply): Reply {
  if (reply.type !== JSON_TYPE) return reply;
  if (typeof reply.body !== 'string' || reply.body.length > MOST_IN_LINES) return { ...reply, type: YAML_TYPE };
  return { ...reply, type: YAML_TYPE, body: stringify(JSON.parse(reply.body), { version: '1.1', lineWidth: 0 }) };
}
