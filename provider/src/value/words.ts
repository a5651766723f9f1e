/** Sentences of the server in the words of a configuration: its paths and fields as attributes. Pure. */
import { everyKind } from '@plumb/schemas';
import { snakeCase, type TerraformKind } from '@plumb/schemas/project/terraform.ts';
import { type SchemaNode, schemaNode } from '@plumb/schemas/project/validate-schema.ts';
import { attributePath, showPath } from './path.ts';

/** `spec.interfaces[0].l3Network`, `metadata.labels`. */
const PATH = /\b(?:spec|metadata)(?:\.[A-Za-z][A-Za-z0-9]*|\[[^\]\s]*\])+/g;
/** A word with a capital in the middle, as fields are written and English is not. */
const CAMEL = /(?<![\w./"-])[a-z][a-z0-9]*[A-Z][A-Za-z0-9]*(?![\w/"-])/g;

const fields = new Set<string>();

function collect({ properties = {}, items }: SchemaNode): void {
  for (const [field, inner] of Object.entries(properties)) {
    fields.add(field);
    collect(inner);
  }
  if (items) collect(items);
}

/** The sentence, with attributes where it names fields of the kind or of others. */
export function inHcl(sentence: string, kind: TerraformKind): string {
  if (fields.size === 0) for (const one of everyKind) collect(schemaNode(one.fields ?? one.spec));
  return sentence
    .replace(PATH, (path) => {
      const { steps, rest } = attributePath(path, kind);
      return steps.length > 0 && rest === '' ? showPath(steps) : path;
    })
    .replace(CAMEL, (word) => (fields.has(word) ? snakeCase(word) : word))
    .replace(/\bnamespaces? (?="|[a-z0-9])/g, 'project ');
}
