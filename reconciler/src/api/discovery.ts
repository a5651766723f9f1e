/** Discovery: which groups, versions and resources there are. Made once; nothing in it changes while a server runs. */
import { createHash } from 'node:crypto';
import { HEALTH_PATHS } from './health.ts';
import { JSON_TYPE, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import type { Served, Verbs } from './served.ts';

const VARY = { vary: 'Accept' };
const AGGREGATED_TYPE = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';

/** Answers to the discovery paths, by path. */
export type Discovery = ReadonlyMap<string, (request: ApiRequest) => Reply>;

export function discoveryOf(served: readonly Served[]): Discovery {
  const answers = new Map<string, (request: ApiRequest) => Reply>();
  const core = served.filter(({ names }) => names.group === '');
  const groups = Map.groupBy(
    served.filter(({ names }) => names.group !== ''),
    ({ names }) => names.group,
  );
  answers.set(
    '/api',
    choice(
      { kind: 'APIVersions', versions: ['v1'], serverAddressByClientCIDRs: [] },
      aggregated(new Map([['', core]])),
    ),
  );
  answers.set(
    '/apis',
    choice(
      { kind: 'APIGroupList', apiVersion: 'v1', groups: [...groups].map(([name, of]) => group(name, of)) },
      aggregated(groups),
    ),
  );
  answers.set('/api/v1', fixed(resourceList('v1', core)));
  for (const [name, of] of groups) {
    answers.set(`/apis/${name}`, fixed({ kind: 'APIGroup', apiVersion: 'v1', ...group(name, of) }));
    for (const [version, resources] of Map.groupBy(of, ({ names }) => names.version)) {
      answers.set(`/apis/${name}/${version}`, fixed(resourceList(`${name}/${version}`, resources)));
    }
  }
  const paths = [...answers.keys(), ...HEALTH_PATHS, '/metrics', '/openapi/v2', '/openapi/v3', '/version'].sort();
  for (const path of ['/', '/index.html']) answers.set(path, fixed({ paths }));
  return answers;
}

function fixed(value: unknown): (request: ApiRequest) => Reply {
  const body = JSON.stringify(value);
  return () => ({ status: 200, type: JSON_TYPE, body });
}

/** The aggregated form for who asks for it first (KEP-3352), the old one for everyone else. */
function choice(plain: unknown, whole: unknown): (request: ApiRequest) => Reply {
  const plainBody = JSON.stringify(plain);
  const wholeBody = JSON.stringify(whole);
  return (request) =>
    wantsAggregated(request.headers.accept ?? '')
      ? { status: 200, type: AGGREGATED_TYPE, body: wholeBody, headers: VARY }
      : { status: 200, type: JSON_TYPE, body: plainBody, headers: VARY };
}

function wantsAggregated(accept: string): boolean {
  for (const part of accept.split(',')) {
    const [type, ...parameters] = part.split(';').map((piece) => piece.trim());
    if (type !== JSON_TYPE) continue;
    if (!parameters.some((parameter) => parameter.startsWith('as='))) return false;
    const wanted = ['g=apidiscovery.k8s.io', 'v=v2', 'as=APIGroupDiscoveryList'];
    if (wanted.every((parameter) => parameters.includes(parameter))) return true;
  }
  return false;
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
        verbs: verbNames(verbs),
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
    verbs: verbNames(verbs),
    ...(shortNames.length > 0 ? { shortNames } : {}),
    ...(categories.length > 0 ? { categories } : {}),
    ...(below.length > 0 ? { subresources: below } : {}),
  };
}

/** As Kubernetes lists the verbs of kinds that are declared. */
const ORDER = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch'];

/** Of a subresource they are in the order of the alphabet there. */
function subVerbNames(verbs: Verbs): string[] {
  return Object.keys(verbs).sort();
}

function verbNames(verbs: Verbs): string[] {
  return Object.keys(verbs).sort((a, b) => ORDER.indexOf(a) - ORDER.indexOf(b));
}
