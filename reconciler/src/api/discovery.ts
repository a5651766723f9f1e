/** Discovery: which groups, versions and resources there are. Made once; nothing in it changes while a server runs. */
import { createHash } from 'node:crypto';
import { isDeepStrictEqual } from 'node:util';
import { API_GROUP } from '@plumb/schemas';
import { encodedAs } from './encoded.ts';
import { HEALTH_PATHS } from './health.ts';
import { AS_IT_IS, negotiate, notAcceptable, type Target } from './media.ts';
import { JSON_TYPE, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import type { Served, Verbs } from './served.ts';

const AGGREGATED: Target = { group: 'apidiscovery.k8s.io', version: 'v2', kind: 'APIGroupDiscoveryList' };

/** What is answered at a path. */
export interface Discovered {
  /** Whether it is one of Kubernetes' own groups: there every path has its method, and for kinds that are declared any method reads. */
  builtin: boolean;
  answer(request: ApiRequest): Reply;
}

/** By path. */
export type Discovery = ReadonlyMap<string, Discovered>;

export function discoveryOf(served: readonly Served[]): Discovery {
  const answers = new Map<string, Discovered>();
  const core = served.filter(({ names }) => names.group === '');
  const groups = Map.groupBy(
    served.filter(({ names }) => names.group !== ''),
    ({ names }) => names.group,
  );
  const versions = { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] };
  answers.set('/api', { builtin: true, answer: choice(versions, aggregated(new Map([['', core]]))) });
  const all = { kind: 'APIGroupList', apiVersion: 'v1', groups: [...groups].map(([name, of]) => group(name, of)) };
  answers.set('/apis', { builtin: false, answer: choice(all, aggregated(groups)) });
  const { apiVersion: _, ...resources } = resourceList('v1', core);
  answers.set('/api/v1', { builtin: true, answer: fixed(resources) });
  for (const [name, of] of groups) {
    const builtin = name !== API_GROUP;
    answers.set(`/apis/${name}`, {
      builtin,
      answer: fixed({ kind: 'APIGroup', apiVersion: 'v1', ...group(name, of) }),
    });
    for (const [version, resources] of Map.groupBy(of, ({ names }) => names.version)) {
      answers.set(`/apis/${name}/${version}`, {
        builtin,
        answer: fixed(resourceList(`${name}/${version}`, resources)),
      });
    }
  }
  const paths = [...answers.keys(), ...HEALTH_PATHS, '/metrics', '/openapi/v2', '/openapi/v3', '/version'].sort();
  const index: Reply = { status: 200, type: JSON_TYPE, body: JSON.stringify({ paths }) };
  for (const path of ['/', '/index.html']) answers.set(path, { builtin: false, answer: () => index });
  return answers;
}

/** In whichever encoding it is wanted. The answer throws PlumbError `NotAcceptable`. */
function fixed(value: unknown): (request: ApiRequest) => Reply {
  const body = JSON.stringify(value);
  return ({ headers }) => {
    if (!negotiate(headers.accept ?? '', AS_IT_IS)) throw notAcceptable();
    return { status: 200, type: JSON_TYPE, body };
  };
}

/** The aggregated form for who asks for it anywhere (KEP-3352), the old one for everyone else. */
function choice(plain: unknown, whole: unknown): (request: ApiRequest) => Reply {
  const old = fixed(plain);
  const body = JSON.stringify(whole);
  const etag = `"${createHash('sha512').update(body).digest('hex').toUpperCase()}"`;
  const headers = { etag, vary: 'Accept', 'cache-control': 'public' };
  const parameters = `;g=${AGGREGATED.group};v=${AGGREGATED.version};as=${AGGREGATED.kind}`;
  return (request) => {
    const wanted = negotiate(request.headers.accept ?? '', (_, target) => isDeepStrictEqual(target, AGGREGATED));
    if (!wanted?.target) return old(request);
    const made = encodedAs(wanted.encoding, { status: 200, type: JSON_TYPE, body, headers });
    const type = `${made.type}${parameters}`;
    // Who has it takes over what is said of it again: its type, too.
    return request.headers['if-none-match'] === etag ? { status: 304, type, body: '', headers } : { ...made, type };
  };
}

function versionsOf(of: readonly Served[]): string[] {
  return [...new Set(of.map(({ names }) => names.version))];
}

/** By it clients tell that what they have stored is stored otherwise now; as Kubernetes makes it. */
function storageHash({ group, version, kind }: Served['names']): string {
  return createHash('sha256').update(`${group}/${version}/${kind}`).digest().subarray(0, 8).toString('base64');
}

function group(name: string, of: readonly Served[]) {
  const versions = versionsOf(of).map((version) => ({ groupVersion: `${name}/${version}`, version }));
  return { name, versions, preferredVersion: versions[0] };
}

function resourceList(groupVersion: string, of: readonly Served[]) {
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion,
    resources: of.flatMap(({ names, verbs, status, subresources = {} }) => {
      const { kind, plural, singular, shortNames, categories } = names;
      const namespaced = names.scope === 'Namespaced';
      const main = {
        name: plural,
        singularName: singular,
        namespaced,
        kind,
        verbs: verbNames(verbs, names.group),
        ...(shortNames.length > 0 ? { shortNames } : {}),
        ...(categories.length > 0 ? { categories } : {}),
        ...(verbs.list ? { storageVersionHash: storageHash(names) } : {}),
      };
      const sub = { name: `${plural}/status`, singularName: '', namespaced, kind, verbs: subVerbNames(status ?? {}) };
      const others = Object.entries(subresources).map(([name, { names: of, verbs: its }]) => ({
        ...{ name: `${plural}/${name}`, singularName: '', namespaced, ...of, verbs: subVerbNames(its) },
      }));
      return [main, ...(status ? [sub] : []), ...others];
    }),
  };
}

function aggregated(groups: ReadonlyMap<string, readonly Served[]>) {
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: [...groups].map(([name, of]) => ({
      metadata: name ? { name } : {},
      versions: versionsOf(of).map((version) => ({
        version,
        freshness: 'Current',
        resources: of.filter(({ names }) => names.version === version).map(aggregatedResource),
      })),
    })),
  };
}

function aggregatedResource({ names, verbs, status, subresources = {} }: Served) {
  const { group: groupName, version, kind, plural, singular, shortNames, categories, scope } = names;
  const responseKind = { group: groupName, version, kind };
  const below = [
    ...(status ? [{ subresource: 'status', responseKind, verbs: subVerbNames(status) }] : []),
    ...Object.entries(subresources).map(([subresource, { names: of, verbs: its }]) => ({
      ...{ subresource, responseKind: of, verbs: subVerbNames(its) },
    })),
  ];
  return {
    resource: plural,
    responseKind,
    scope: scope === 'Namespaced' ? 'Namespaced' : 'Cluster',
    singularResource: singular,
    verbs: verbNames(verbs, groupName),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(below.length > 0 ? { subresources: below } : {}),
  };
}

/** As Kubernetes lists the verbs of kinds that are declared. */
const ORDER = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** Of subresources, and of its own kinds, they are in the order of the alphabet there. */
function subVerbNames(verbs: Verbs): string[] {
  return Object.keys(verbs).sort();
}

function verbNames(verbs: Verbs, groupName: string): string[] {
  if (groupName !== API_GROUP) return subVerbNames(verbs);
  return Object.keys(verbs).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
}
