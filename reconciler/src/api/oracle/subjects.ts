/** What the requests of the corpus are about: one kind of the whole estate, and one of projects. */
import type { Ask } from './case.ts';

export const GROUP = '/apis/plumb.dev/v1';
export const OFFERINGS: string = `${GROUP}/instanceofferings`;
export const NETWORKS: string = `${GROUP}/namespaces/{ns}/l3networks`;
export const ALL_NETWORKS: string = `${GROUP}/l3networks`;

type Metadata = Record<string, unknown>;

export function offering(metadata: Metadata = {}, spec: object = { cpus: 1, memoryMiB: 128 }): object {
  return { apiVersion: 'plumb.dev/v1', kind: 'InstanceOffering', metadata: { name: '{id}', ...metadata }, spec };
}

export function network(name: string, metadata: Metadata = {}, spec: object = {}): object {
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'L3Network',
    metadata: { name, ...metadata },
    spec: { l2Network: 'lan', ipv4: { cidr: '10.0.0.0/24' }, ...spec },
  };
}

/** Makes a network ready. */
export function made(name: string, metadata: Metadata = {}, save?: string): Ask {
  return { method: 'POST', path: NETWORKS, body: network(name, metadata), setUp: true, ...(save ? { save } : {}) };
}

export function madeOffering(metadata: Metadata = {}, save?: string): Ask {
  return { method: 'POST', path: OFFERINGS, body: offering(metadata), setUp: true, ...(save ? { save } : {}) };
}

/** Every pair of one word of each list. */
export function pairs<A, B>(first: readonly A[], second: readonly B[]): [A, B][] {
  return first.flatMap((a) => second.map((b): [A, B] => [a, b]));
}

/** `?a=1&b=2` of what is there; undefined leaves a parameter out. */
export function query(parameters: Record<string, string | undefined>): string {
  const words = Object.entries(parameters).flatMap(([key, value]) => (value === undefined ? [] : [`${key}=${value}`]));
  return words.length === 0 ? '' : `?${words.join('&')}`;
}

/** A word for the name of a case. */
export function word(value: string | undefined): string {
  if (value === undefined) return 'absent';
  return value === ''
    ? 'empty'
    : value
        .replace(/^-/, 'minus-')
        .replaceAll(/[^A-Za-z0-9]+/g, '-')
        .replaceAll(/^-|-$/g, '');
}
