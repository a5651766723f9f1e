/**
 * A step of an instance's plan for its reader, who knows whose plan it is: `make disk root`, `make subnet default/lab`,
 * where the step's id says uids.
 */
import { type HostResource, resourceKey, resourceTypes } from '@plumb/schemas';

export function stepWords({ id, resource }: { id: string; resource: HostResource }): string {
  return [id.slice(0, id.indexOf(' ')), resource.kind, partName(resource)].filter((word) => word !== '').join(' ');
}

/**
 * As {@link stepWords}, of a step of an earlier plan, of which only the id is known: without the uid of `owner`, and of a checksum
 * its beginning. The uid of anything else stays.
 */
export function stepIdWords(id: string, owner: string): string {
  const [, verb, kind = '', rest = ''] = /^(\S+) ([^/]+)\/(.*)$/s.exec(id) ?? [];
  if (verb === undefined) return id;
  if (/^[0-9a-f]{64}$/.test(rest)) return `${verb} ${kind} ${rest.slice(0, 12)}`;
  if (rest !== owner && !rest.startsWith(`${owner}.`)) return id;
  const part = rest.slice(owner.length + 1);
  return [verb, kind, part === kind ? '' : part].filter((word) => word !== '').join(' ');
}

/** The name of a resource among those of its kind that an instance needs; empty where there is one of them only. */
export function partName(resource: HostResource): string {
  return resourceTypes.definition(resource.kind).part?.(resource) ?? '';
}

/** What its owner calls it: `the interface eth0`. */
export function labelOf(resource: HostResource): string {
  return resourceTypes.definition(resource.kind).label(partName(resource));
}

/** The sentence with what people call the resources, where it says their identities on the host. */
export function inWords(sentence: string, resources: readonly HostResource[]): string {
  // The longest first: a disk that took the place of another begins with the id of that.
  const named = resources.map((resource) => [resourceKey(resource), labelOf(resource)] as const);
  named.sort(([a], [b]) => b.length - a.length);
  return named.reduce((words, [key, label]) => words.replaceAll(key, label), sentence);
}
