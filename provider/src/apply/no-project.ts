/** A project that does not exist, in the words of a configuration: there it is a resource that one can declare. */
import { namespace } from '@plumb/schemas';
import { terraformKind } from '@plumb/schemas/project/terraform.ts';
import { type Diagnostic, failure } from '../diagnostic.ts';

const { typeName } = terraformKind(namespace);

export function noProject(project: string): Diagnostic {
  const label = project.replace(/^(?=\d)/, 'p').replaceAll('-', '_');
  return failure(
    `There is no project ${project}`,
    `Declare it, and refer to it, so that it is made first:\n\nresource "${typeName}" "${label}" {\n  name = "${project}"\n}\n\nand here: project = ${typeName}.${label}.name\n\nOr name a project that exists; without project it is default.`,
    [{ attribute: 'project' }],
  );
}
