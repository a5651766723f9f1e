/** What is asked of the API, as requests. */
import { kindByName } from '@plumb/schemas';
import type { Ask, Named } from './actions.ts';

export interface Request {
  method: string;
  path: string;
  body?: unknown;
}

const ROOT = '/apis/plumb.dev/v1';

export interface Known {
  /** Of the instance whose flow is meant. */
  uid: string;
  /** How many objects a cascade is to delete. */
  reach: number;
  /** Which version of it was read. */
  version?: string | undefined;
}

export function requestOf(ask: Ask, { uid, reach, version }: Known): Request {
  switch (ask.do) {
    case 'create':
      return { method: 'POST', path: pathOf(ask, false), body: bodyOf(ask, ask.spec) };
    case 'change':
      return { method: 'PATCH', path: pathOf(ask), body: { spec: ask.spec } };
    case 'replace':
      return {
        method: 'PUT',
        path: pathOf(ask),
        body: bodyOf(ask, ask.spec, { resourceVersion: ask.stale ? '1' : version }),
      };
    case 'delete':
      return { method: 'DELETE', path: pathOf(ask) };
    case 'retry':
      return {
        method: 'PATCH',
        path: pathOf(ask),
        body: { metadata: { annotations: { 'plumb.dev/retry': ask.word } } },
      };
    case 'cascade': {
      const objects = ask.roots.map(({ kind, name, namespace }) => ({ kind, name, namespace }));
      return { method: 'POST', path: `${ROOT}/cascades`, body: { objects, expect: reach + (ask.miscounted ? 1 : 0) } };
    }
    case 'flow':
      return { method: 'POST', path: `${ROOT}/flows/${uid}/${ask.what}` };
  }
}

function bodyOf({ kind, name }: Named, spec: unknown, metadata: object = {}): unknown {
  return { apiVersion: kind === 'Namespace' ? 'v1' : 'plumb.dev/v1', kind, metadata: { name, ...metadata }, spec };
}

function pathOf({ kind, name, namespace }: Named, withName = true): string {
  const end = withName ? `/${name}` : '';
  if (kind === 'Namespace') return `/api/v1/namespaces${end}`;
  const { plural, scope } = kindByName(kind)!;
  return scope === 'Cluster'
    ? `${ROOT}/${plural}${end}`
    : `${ROOT}/namespaces/${namespace ?? 'default'}/${plural}${end}`;
}
