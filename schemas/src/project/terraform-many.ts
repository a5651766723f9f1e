/** A kind as a plural data source and as a list resource: by which objects are chosen, and what is told of them. */
import type { KindDefinition } from '../kinds/define.ts';
import type { TerraformAttribute } from './terraform-attribute.ts';

/** `plumb_instances` of `plumb_instance`. */
export function pluralType(typeName: string, { plural, singular }: KindDefinition): string {
  return `${typeName}${plural.startsWith(singular) ? plural.slice(singular.length) : 's'}`;
}

/** By which objects are chosen. */
export function selectionOf({ scope, kind }: KindDefinition): TerraformAttribute[] {
  const text = (name: string, description: string): TerraformAttribute => ({
    name,
    field: name,
    description,
    type: 'string',
    optional: true,
  });
  return [
    ...(scope === 'Cluster'
      ? []
      : [
          text('project', `Project whose objects are meant. Without it: default.`),
          {
            ...text('all_projects', 'Whether the objects of every project are meant.'),
            type: 'bool' as const,
          },
        ]),
    text('selector', `Labels that each ${kind} must have, as in tier=web,env in (prod,test),!legacy.`),
    text('field_selector', 'Fields that each must have, as in metadata.name!=web-0.'),
  ];
}

/** The attributes of the plural data source. `one`: those of the singular. */
export function manyOf(kind: KindDefinition, one: readonly TerraformAttribute[]): TerraformAttribute[] {
  return [
    ...selectionOf(kind),
    {
      name: 'names',
      field: 'names',
      description: 'Names of those that were found, in the order of items.',
      type: ['list', 'string'],
      computed: true,
    },
    {
      name: 'items',
      field: 'items',
      description: `Every ${kind.kind} that was found, ordered by project and name.`,
      nested: {
        nesting: 'list',
        attributes: one.map(({ required: _, optional: __, default: ___, ...attribute }) => ({
          ...attribute,
          computed: true as const,
        })),
      },
      computed: true,
    },
  ];
}
