/** Security groups: what they select is filtered by them, and nothing else is. */
import type { Instance, LiveResource, PlumbObject, SecurityGroup } from '@plumb/schemas';
import type { Estate } from './estate.ts';

/** Whether the group selects the interface. The simulation gives instances no labels. */
function selects({ metadata, spec }: SecurityGroup, instance: Instance, name: string): boolean {
  if (metadata.deletionTimestamp || metadata.namespace !== instance.metadata.namespace) return false;
  if (Object.keys(spec.selector.matchLabels ?? {}).length > 0) return false;
  return spec.interfaces?.includes(name) ?? true;
}

type Resources = ReadonlyMap<string, LiveResource>;

function filterOf(resources: Resources, portId: string): readonly string[] {
  const filter = resources.get(`port-filter/${portId}`);
  return filter?.kind === 'port-filter' ? filter.spec.rulesets : [];
}

/** How the filters of an instance that is as declared differ from what its groups say. */
export function filterProblems(instance: Instance, resources: Resources, estate: Estate): string[] {
  const groups = groupsIn(estate.objects.values());
  const found: string[] = [];
  for (const { name } of instance.status?.interfaces ?? []) {
    const wanted = groups.filter((group) => selects(group, instance, name)).map(({ metadata }) => metadata.uid);
    const portId = `${instance.metadata.uid}.${name}`;
    const has = filterOf(resources, portId);
    if (wanted.sort().join() !== has.join()) found.push(`${name} is filtered by ${has}, and its groups are ${wanted}`);
    for (const id of has)
      if (!resources.has(`ruleset/${id}`)) found.push(`${name} is filtered by ${id}, which is not there`);
  }
  return found;
}

/** Why a resource of a group should not be there, or is not as it should be. */
export function groupResourceProblem(
  resource: LiveResource<'ruleset' | 'address-group'>,
  owner: PlumbObject,
  resources: Resources,
  estate: Estate,
): string | undefined {
  const all = [...resources.values()];
  const needed =
    resource.kind === 'ruleset'
      ? all.some((one) => one.kind === 'port-filter' && one.spec.rulesets.includes(resource.id))
      : all.some(
          (one) =>
            one.kind === 'ruleset' &&
            [...one.spec.ingress, ...(one.spec.egress ?? [])].some(({ groups = [] }) => groups.includes(resource.id)),
        );
  if (!needed) return 'and nobody needs it';
  if (owner.metadata.deletionTimestamp || resource.kind !== 'address-group') return undefined;
  const group = owner as SecurityGroup;
  const addresses = estate.instances.flatMap((instance) =>
    (instance.status?.interfaces ?? []).flatMap((one) => (selects(group, instance, one.name) ? one.addresses : [])),
  );
  const wanted = [...new Set(addresses)].sort().join(', ');
  return wanted === resource.spec.addresses.join(', ')
    ? undefined
    : `with ${resource.spec.addresses.join(', ')}, and its group selects ${wanted}`;
}

/** Of a domain that begins to run: ports that a group selected before the instance was made, and which it does not filter. */
export function unfiltered(
  domain: LiveResource<'domain'>,
  instance: Instance,
  resources: Resources,
  objects: Iterable<PlumbObject>,
): string[] {
  const groups = groupsIn(objects).filter(
    ({ metadata }) => metadata.generation === 1 && metadata.creationTimestamp < instance.metadata.creationTimestamp,
  );
  return domain.spec.ports.flatMap(({ id }) => {
    const name = id.slice(instance.metadata.uid.length + 1);
    return groups
      .filter((group) => selects(group, instance, name) && !filterOf(resources, id).includes(group.metadata.uid))
      .map(({ metadata }) => `domain ${domain.id} runs with the port ${id}, which ${metadata.name} does not filter`);
  });
}

function groupsIn(objects: Iterable<PlumbObject>): SecurityGroup[] {
  return [...objects].filter(({ kind }) => kind === 'SecurityGroup') as SecurityGroup[];
}
