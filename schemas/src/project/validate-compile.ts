/**
 * JSON Schema as a function. Time is linear in the value, whatever is wrong with it: each value is looked at once, a list that is
 * too long is not looked into, and sentences are made for the first mistakes only ({@link Mistakes}).
 *
 * The keywords are those that the declarations use; another one is refused when the schema is compiled.
 */
import { compileArray, compileObject } from './validate-containers.ts';
import type { Mistakes } from './validate-mistakes.ts';
import { compileNumber, compileString } from './validate-scalars.ts';
import { isSensitive, type SchemaNode } from './validate-schema.ts';

/** Adds what is wrong with the value. */
export type Check = (value: unknown, into: Mistakes) => void;

/** What a schema says that is inside others. */
export interface Inherited {
  /** Whether values must never be shown. */
  secret: boolean;
}

const KEYWORDS = new Set([
  ...['type', 'enum', 'properties', 'required', 'additionalProperties', 'propertyNames', 'items'],
  ...['minimum', 'maximum', 'minLength', 'maxLength', 'minItems', 'maxItems', 'pattern', 'format'],
]);
const ANNOTATIONS = new Set(['description', 'title', 'default', 'examples', '$schema', '$id']);

/** Throws when the schema holds a keyword that is not known here: it would be believed to be checked. */
export function compileSchema(schema: SchemaNode, inherited: Inherited = { secret: false }): Check {
  for (const keyword of Object.keys(schema))
    if (!KEYWORDS.has(keyword) && !ANNOTATIONS.has(keyword) && !keyword.startsWith('x-'))
      throw new Error(`the schema keyword ${keyword} is not checked: add it to validate-compile.ts`);
  // Of a URL a part could be shown; of one that is wrong it is not known which.
  const secret = inherited.secret || isSensitive(schema) || schema['x-plumb-sensitive'] === 'url';
  const typed = compileType(schema, { secret });
  const { enum: allowed } = schema;
  return allowed ? both(typed, compileEnum(allowed, secret)) : typed;
}

const nothing: Check = () => {};

function both(one: Check, other: Check): Check {
  if (one === nothing) return other;
  return (value, into) => {
    one(value, into);
    other(value, into);
  };
}

function compileType(schema: SchemaNode, inherited: Inherited): Check {
  const { type } = schema;
  const { secret } = inherited;
  switch (type) {
    case undefined:
      return nothing;
    case 'object': {
      const inner = compileObject(schema, inherited);
      const wrong = wrongType(schema, secret);
      return (value, into) => {
        if (typeof value !== 'object' || value === null || Array.isArray(value)) wrong(value, into);
        else inner?.(value as Record<string, unknown>, into);
      };
    }
    case 'array': {
      const inner = compileArray(schema, inherited);
      const wrong = wrongType(schema, secret);
      return (value, into) => (Array.isArray(value) ? inner?.(value, into) : wrong(value, into));
    }
    case 'string': {
      const inner = compileString(schema, inherited);
      const wrong = wrongType(schema, secret);
      return (value, into) => (typeof value === 'string' ? inner?.(value, into) : wrong(value, into));
    }
    case 'integer':
    case 'number': {
      const holds = type === 'integer' ? Number.isInteger : Number.isFinite;
      const inner = compileNumber(schema, inherited);
      const wrong = wrongType(schema, secret);
      return (value, into) => {
        if (holds(value) && !(type === 'integer' && isBeyond(value as number, into)))
          return inner?.(value as number, into);
        wrong(value, into);
        if (typeof value === 'number' && into.words.ofServer) inner?.(value, into);
      };
    }
    case 'boolean': {
      const wrong = wrongType(schema, secret);
      return (value, into) => {
        if (typeof value !== 'boolean') wrong(value, into);
      };
    }
    default:
      throw new Error(`the type ${type} is not checked: add it to validate-compile.ts`);
  }
}

/** Whole numbers that 64 bits do not hold, where an API server's words are spoken: they are none to it. */
function isBeyond(number: number, into: Mistakes): boolean {
  return into.words.ofServer && Math.abs(number) >= 2 ** 63;
}

function wrongType(schema: SchemaNode, secret: boolean): Check {
  return (value, into) => {
    into.shapeHolds = false;
    if (into.isFull) into.addUntold(1);
    else for (const said of into.words.wrongType(schema, value, secret, into.at())) into.say(said);
  };
}

function compileEnum(allowed: readonly unknown[], secret: boolean): Check {
  const known = new Set(allowed);
  const longest = Math.max(...allowed.map((word) => String(word).length));
  return (value, into) => {
    // A long text is not even looked up: that reads all of it.
    if ((typeof value !== 'string' || value.length <= longest) && known.has(value)) return;
    into.shapeHolds = false;
    if (into.isFull) into.addUntold(1);
    else into.say(into.words.notAllowed(allowed, value, secret));
  };
}
