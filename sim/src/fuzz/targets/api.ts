import { type Answer, type ApiRig, startApiRig } from '@plumb/reconciler/api/testing/rig.ts';
import { decodeObject } from '@plumb/reconciler/store/object-codec.ts';
import { type KindDefinition, kindByName, kinds } from '@plumb/schemas';
import { validateObject } from '@plumb/schemas/project/validate.ts';
import type { Dice } from '../../core/dice.ts';
import { knownNames, objectOf } from '../from-schema.ts';
import { anyBytes, anyJson, anyText, mutatedJson, mutatedText } from '../generate.ts';
import { type FuzzTarget, Wrong } from '../target.ts';

interface Input {
  method: string;
  path: string;
  headers: Record<string, string>;
  body?: string;
}

const zone = kindByName('Zone')!;

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'];
const STRANGE_METHODS = ['HEAD', 'OPTIONS', 'TRACE', 'PROPFIND', 'FROB'];
const OBJECTS = ['a', 'b', 'c', 'default', 'lab'];
const TYPES = [
  ...['application/json', 'application/merge-patch+json', 'application/json-patch+json', 'text/plain', ''],
  ...['application/strategic-merge-patch+json', 'application/apply-patch+yaml', 'application/vnd.kubernetes.protobuf'],
];
const PATCHES = ['application/merge-patch+json', 'application/json-patch+json'];
const ACCEPTS = [
  ...[
    'application/json',
    '*/*',
    'application/json;as=Table;v=v1;g=meta.k8s.io',
    'text/html',
    ';;;,',
    'application/yaml',
  ],
  ...['application/json;as=PartialObjectMetadata;v=v1;g=meta.k8s.io', 'application/vnd.kubernetes.protobuf'],
];
const QUERIES: readonly (readonly [string, readonly string[]])[] = [
  ['dryRun', ['All', 'all', '']],
  ['fieldValidation', ['Strict', 'Warn', 'Ignore', 'x']],
  ['labelSelector', ['a', 'a=b', '!a', 'a in (b', 'n>5', ' ']],
  ['fieldSelector', ['metadata.name=a', 'metadata.namespace!=x', 'status.phase=Active', 'x=']],
  ['limit', ['0', '1', '500', '-1', 'x', '1e3']],
  ['continue', ['x', 'WzEsIi8iXQ', 'WzEsIi9vYmplY3RzL3pvbmVzLyJd', 'bnVsbA', 'e30', 'WzFlOTk5LCJhIl0']],
  ['resourceVersion', ['0', '1', '5', '999999', 'x', '-1']],
  ['resourceVersionMatch', ['Exact', 'NotOlderThan', 'x']],
  ['includeObject', ['None', 'Object', 'x']],
  ['propagationPolicy', ['Background', 'Orphan', 'x']],
  ['watch', ['true', '1', 'x']],
  ['sendInitialEvents', ['true', 'x']],
  ['allowWatchBookmarks', ['true']],
  ['timeoutSeconds', ['1', 'x', '-1', '1e9']],
  ['fieldManager', ['kubectl', '\0']],
  ['gracePeriodSeconds', ['0', 'x']],
];
const PATHS = [
  '/',
  '/api',
  '/apis',
  '/openapi/v3',
  '/openapi/v3/apis/plumb.dev/v1',
  '/version',
  '/healthz',
  '/metrics',
  '//',
  '/%',
  '/api/v1',
];

interface ResourcePath {
  root: string;
  plural: string;
  namespaced: boolean;
  kind: KindDefinition;
}

const KINDS: readonly ResourcePath[] = kinds.map((kind) => ({
  root: '/apis/plumb.dev/v1',
  plural: kind.plural,
  namespaced: kind.scope === 'Namespaced',
  kind,
}));

/** What the API serves; what is no kind of ours gets bodies of one. */
const RESOURCES: readonly ResourcePath[] = [
  ...[...KINDS, ...KINDS, ...KINDS],
  { root: '/api/v1', plural: 'namespaces', namespaced: false, kind: zone },
  { root: '/api/v1', plural: 'events', namespaced: true, kind: zone },
  { root: '/apis/authorization.k8s.io/v1', plural: 'selfsubjectaccessreviews', namespaced: false, kind: zone },
];

/** The path of an object, or of what holds all of its kind. */
function pathOf(dice: Dice, { root, plural, namespaced }: ResourcePath, object: string | undefined): string {
  if (dice.chance(0.05)) return dice.pick(PATHS);
  const space = namespaced && dice.chance(0.97) ? `/namespaces/${dice.pick(['default', 'default', 'lab', 'a'])}` : '';
  const name = object === undefined ? '' : `/${object}`;
  const part = dice.chance(0.1) ? dice.pick(['/status', '/status', '/scale', '/', '/status/x']) : '';
  const path = `${root}${space}/${plural}${name}${part}`;
  if (dice.chance(0.97)) return path;
  return `/${mutatedText(dice, path, ['/', '..', '%00', '%2f', '?', '#']).replace(/[^\x21-\x7e]|^\/+/g, '')}`;
}

function queryOf(dice: Dice): string {
  const given = new URLSearchParams();
  for (let count = dice.chance(0.5) ? 0 : dice.between(1, 4); count > 0; count--) {
    const [name, values] = dice.pick(QUERIES);
    given.append(name, dice.chance(0.9) ? dice.pick(values) : wellFormed(anyText(dice)));
  }
  const text = given.toString();
  return text === '' ? '' : `?${text}`;
}

function bodyOf(dice: Dice, method: string, type: string, kind: KindDefinition, name: string): string {
  if (dice.chance(0.02)) return anyBytes(dice, 40).toString('latin1');
  const object = objectOf(dice, dice.chance(0.95) ? kind : dice.pick(kinds), name);
  if (method === 'DELETE') return JSON.stringify(mutatedJson(dice, { dryRun: ['All'], preconditions: { uid: 'x' } }));
  if (type.includes('json-patch')) {
    const pointer = () =>
      `/${[dice.pick(['spec', 'metadata', 'status', 'kind']), ...(dice.chance(0.7) ? [dice.pick(knownNames)] : [])].join('/')}`;
    const op = () => ({
      op: dice.pick(['add', 'remove', 'replace', 'copy', 'move', 'test']),
      path: pointer(),
      from: pointer(),
    });
    return JSON.stringify(
      Array.from({ length: dice.between(0, 4) }, () => ({ ...op(), value: anyJson(dice, knownNames) })),
    );
  }
  const text = JSON.stringify(dice.chance(0.5) ? object : mutatedJson(dice, object, knownNames));
  return dice.chance(0.05) ? mutatedText(dice, text, ['{', '"a":1,', ',', '}']) : text;
}

function wellFormed(text: string): string {
  return text.toWellFormed();
}

let rig: ApiRig | undefined;

/** Requests to the API, over TLS and HTTP/2 as clients send them. Never 500, never no answer, and what is stored is valid. */
export const api: FuzzTarget<Input> = {
  name: 'api',
  async open() {
    rig = await startApiRig();
  },
  close: async () => await rig?.stop(),
  make(dice) {
    const method = dice.pick(dice.chance(0.97) ? METHODS : STRANGE_METHODS);
    const type =
      method === 'PATCH' && dice.chance(0.8)
        ? dice.pick(PATCHES)
        : dice.chance(0.9)
          ? 'application/json'
          : dice.pick(TYPES);
    const accept = dice.pick(ACCEPTS.slice(0, dice.chance(0.9) ? 2 : undefined));
    const headers: Record<string, string> = { 'content-type': type, accept };
    if (dice.chance(0.02)) headers[dice.pick(['impersonate-user', 'x-a', 'range', 'if-match'])] = 'a';
    const resource = dice.pick(RESOURCES);
    const name = dice.chance(0.97) ? dice.pick(OBJECTS) : encodeURIComponent(wellFormed(anyText(dice)));
    const one = method === 'POST' ? dice.chance(0.03) : dice.chance(method === 'GET' ? 0.6 : 0.97);
    // Longer paths are refused by HTTP itself.
    const path = `${pathOf(dice, resource, one ? name : undefined)}${queryOf(dice)}`.slice(0, 8_000);
    const hasBody = method === 'POST' || method === 'PUT' || method === 'PATCH' || dice.chance(0.1);
    return { method, path, headers, ...(hasBody ? { body: bodyOf(dice, method, type, resource.kind, name) } : {}) };
  },
  async run({ method, path, headers, body }) {
    if (method === 'GET' && /[?&]watch=/.test(path)) return await wrongWatch(path, headers);
    const answer = await rig!.ask(method, path, { headers, ...(body === undefined ? {} : { body }) });
    return wrongAnswer(answer) ?? (method === 'GET' ? answer : await wrongStored());
  },
};

function wrongAnswer({ status, headers, text, body }: Answer): Wrong | undefined {
  if (status >= 500 && status !== 504) return new Wrong(`answers $status: $text.slice(0, 500)`);
  if (status === 0) return new Wrong('does not answer');
  if (status < 400) return undefined;
  if (String(headers['content-type']).startsWith('application/json') && text !== '' && body?.kind !== 'Status')
    return new Wrong(`answers $statuswithout a Status: $text.slice(0, 500)`);
  return text.length > 200_000 ? new Wrong(`answers $statuswith $text.lengthcharacters`) : undefined;
}

/** The beginning of a watch; what follows would never end. */
async function wrongWatch(path: string, headers: Record<string, string>): Promise<Wrong | undefined> {
  const watch = rig!.watch(path, headers);
  const status = await watch.status;
  watch.end();
  return status === 200 || (status >= 400 && status < 500) || status === 504 ? undefined : new Wrong(`answers $status`);
}

let seen = 0;

/** What was stored since the last look, and is not valid. */
async function wrongStored(): Promise<Wrong | undefined> {
  const { store } = rig!;
  if (store.revision() === seen) return undefined;
  const { entries } = await store.list('/objects/');
  for (const entry of entries) {
    if (entry.revision <= seen) continue;
    const { status: _, ...object } = decodeObject(entry);
    const kind = kindByName(object.kind);
    const errors = kind ? validateObject(kind, object, { strictUnknown: true }) : [];
    if (errors.length > 0) return new Wrong(`stores what is not valid: $JSON.stringify([entry.key, errors])`);
  }
  seen = store.revision();
  return undefined;
}
