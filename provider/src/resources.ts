/** The resource types of the provider: every kind is one, and none is named here. */
import { everyKind, terminal } from '@plumb/schemas';
import { type TerraformAttribute, type TerraformKind, terraformKind } from '@plumb/schemas/project/terraform.ts';

export const terraformKinds: readonly TerraformKind[] = everyKind
  .filter((kind) => kind.terraform !== false)
  .map(terraformKind);

const byType = new Map(terraformKinds.map((kind) => [kind.typeName, kind]));

const byPlural = new Map(terraformKinds.map((kind) => [kind.pluralType, kind]));

/** The kind whose many objects a data source of that type has; undefined for other types. */
export function kindOfPlural(typeName: string): TerraformKind | undefined {
  return byPlural.get(typeName);
}

/** Throws a terminal `UnknownType` for a type that no kind projects to. */
export function kindOfType(typeName: string): TerraformKind {
  const kind = byType.get(typeName);
  if (!kind) throw terminal('UnknownType', `This provider has no type ${typeName}.`);
  return kind;
}

/** The provider block. */
export const providerAttributes: readonly TerraformAttribute[] = [
  setting('kubeconfig', 'Path of a kubeconfig file; its current context says which server. Or KUBECONFIG.'),
  setting('context', 'Another context of the kubeconfig than its current one.'),
  setting(
    'endpoint',
    'URL of the server, e.g. https://plumb.example:7443, or of several servers of one cloud, separated by commas. Or PLUMB_ENDPOINT.',
  ),
  { ...setting('token', 'Bearer token. Or PLUMB_TOKEN.'), sensitive: true },
  {
    ...setting(
      'insecure_http',
      'Whether a token may go over plain HTTP, where others can read it. Or PLUMB_INSECURE_HTTP.',
    ),
    type: 'bool',
  },
  setting('ca_certificate', 'Authority of the server, as PEM or as a path to it. Or PLUMB_CA_CERTIFICATE.'),
  setting(
    'stack',
    'Name of this configuration, by which others see that a field is its own, and by which what an apply that was killed had begun is found again. Or PLUMB_STACK. Without it, a hash of the working folder and the workspace, by which nothing is found again.',
  ),
  {
    ...setting(
      'force_conflicts',
      'Whether fields that others own and that are declared otherwise here are taken from them, which a plan warns of; with false that is an error. Default: true.',
    ),
    type: 'bool',
  },
];

function setting(name: string, description: string): TerraformAttribute {
  return { name, field: name, description, type: 'string', optional: true };
}
