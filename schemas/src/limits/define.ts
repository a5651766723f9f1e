/**
 * Limits: every bound on what comes from outside, declared once with its default and what happens above it. An operator sets
 * them in one file (`--limits FILE`); `plumb limits` and docs/reference/limits.md are projections of the declarations.
 */
import { PlumbError } from '../meta/error.ts';

export interface LimitDefinition {
  /** What is bounded, in one sentence. */
  readonly description: string;
  /** What happens above the bound, and to whom. */
  readonly above: string;
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
}

export type LimitDefinitions = { readonly [name: string]: LimitDefinition };

/** The value of each limit; the unit is the last word of its name, e.g. `joinBytes`; without one it is a count. */
export type LimitsOf<D extends LimitDefinitions> = { readonly [K in keyof D]: number };

export function defaultsOf<D extends LimitDefinitions>(definitions: D): LimitsOf<D> {
  const entries = Object.entries(definitions).map(([name, definition]) => [name, definition.default]);
  return Object.fromEntries(entries) as LimitsOf<D>;
}

/**
 * The limits that `given` (parsed JSON) sets, and defaults for the rest. Throws PlumbError `InvalidLimits` (terminal) that
 * names every unknown limit and every value out of range. `where`: path of the section in the file, e.g. `server`.
 */
export function limitsFrom<D extends LimitDefinitions>(definitions: D, given: unknown, where: string): LimitsOf<D> {
  if (given === undefined) return defaultsOf(definitions);
  if (typeof given !== 'object' || given === null || Array.isArray(given))
    throw invalid([{ field: where, message: 'must be an object of limits' }]);
  const errors: { field: string; message: string }[] = [];
  const limits: Record<string, number> = { ...defaultsOf(definitions) };
  for (const [name, value] of Object.entries(given)) {
    const field = `${where}.${name}`;
    const definition = Object.hasOwn(definitions, name) ? definitions[name] : undefined;
    if (!definition) errors.push({ field, message: 'is no limit; "plumb limits" lists them' });
    else if (!Number.isInteger(value) || value < definition.minimum || value > definition.maximum)
      errors.push({
        field,
        message: `must be a whole number from ${definition.minimum} to ${definition.maximum}`,
      });
    else limits[name] = value;
  }
  if (errors.length > 0) throw invalid(errors);
  return limits as LimitsOf<D>;
}

function invalid(fields: { field: string; message: string }[]): PlumbError {
  const message = fields.map(({ field, message }) => `${field} ${message}`).join('; ');
  return new PlumbError({ reason: 'InvalidLimits', message: `the limits file: ${message}`, retry: 'terminal', fields });
}

/** JSON Schema (2020-12) of one section of the limits file. */
export function limitsSchema(definitions: LimitDefinitions): object {
  const properties = Object.entries(definitions).map(([name, limit]) => [
    name,
    {
      type: 'integer',
      minimum: limit.minimum,
      maximum: limit.maximum,
      default: limit.default,
      description: `${limit.description} Above: ${limit.above}`,
    },
  ]);
  return { type: 'object', additionalProperties: false, properties: Object.fromEntries(properties) };
}
