/** Field paths of the API (`spec.interfaces[0].l3Network`) as attribute paths of Terraform. */
import type { TerraformAttribute, TerraformKind } from '@plumb/schemas/project/terraform.ts';

export type Step = { attribute: string } | { key: string } | { index: number };

export interface AttributePath {
  steps: Step[];
  /** What of the field path has no attribute of its own, e.g. a deeper place inside a text; mostly empty. */
  rest: string;
}

/** Where the field stands in a configuration. Fields that no attribute stands for give an empty path and a rest. */
export function attributePath(field: string, { kind, spec, resource }: TerraformKind): AttributePath {
  const tokens = tokensOf(field);
  if (kind.fields && spec.some((attribute) => attribute.field === tokens[0])) tokens.unshift('spec');
  const top = tokens[0] === 'spec' ? spec : resource.filter((a) => METADATA.has(a.field));
  if (tokens[0] !== 'spec' && tokens[0] !== 'metadata') return { steps: [], rest: field };
  const steps: Step[] = [];
  const left = walk(tokens.slice(1), top, steps);
  return { steps, rest: left.join('.') };
}

const METADATA = new Set(['name', 'namespace', 'labels', 'annotations']);

/** `interfaces[0].l3_network`, as a person writes it. */
export function showPath(steps: readonly Step[]): string {
  let text = '';
  for (const step of steps) {
    if ('attribute' in step) text += text === '' ? step.attribute : `.${step.attribute}`;
    else text += 'index' in step ? `[${step.index}]` : `[${JSON.stringify(step.key)}]`;
  }
  return text;
}

function tokensOf(field: string): string[] {
  const parts = field.matchAll(/\[([^\]]*)\]|([^.[]+)|\./gy);
  return [...parts].map(([, bracketed, plain]) => bracketed ?? plain).filter((token) => token !== undefined);
}

/** Follows the tokens as far as the schema goes, and returns those that are left. */
function walk(tokens: string[], attributes: readonly TerraformAttribute[], steps: Step[]): string[] {
  const [token, ...after] = tokens;
  if (token === undefined) return [];
  const attribute = attributes.find((a) => a.field === token);
  if (!attribute) return tokens;
  steps.push({ attribute: attribute.name });
  const { nested, type } = attribute;
  if (nested?.nesting === 'single') return walk(after, nested.attributes, steps);
  const inside = after[0];
  if (inside === undefined) return [];
  if (Array.isArray(type) && type[0] === 'map') {
    steps.push({ key: after.join('.') });
    return [];
  }
  if (!/^\d+$/.test(inside) || (type && (!Array.isArray(type) || type[0] !== 'list'))) return after;
  steps.push({ index: Number(inside) });
  return nested ? walk(after.slice(1), nested.attributes, steps) : after.slice(1);
}
