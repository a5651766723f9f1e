/**
 * A Swagger document as clients of Go read it: openapi.v2.Document of gnostic, in protobuf. Field numbers are those of its
 * OpenAPIv2.proto; only what {@link swaggerDocument} makes is there.
 */

type Node = Record<string, unknown>;

/** Field 1 of most messages here is a name, field 2 what it names. */
export function swaggerProtobuf(document: Node): Uint8Array {
  const { info, paths, definitions } = document as Record<string, Node>;
  return message(
    text(1, document.swagger),
    nested(2, message(text(1, info!.title), text(2, info!.version))),
    nested(8, message(...named(2, paths!, pathItem))),
    nested(9, message(...named(1, definitions!, schema))),
  );
}

const OPERATIONS = { get: 2, put: 3, post: 4, delete: 5, patch: 8 } as const;

function pathItem(of: unknown): Uint8Array {
  const item = of as Node;
  const operations = Object.entries(OPERATIONS).flatMap(([method, number]) =>
    item[method] ? [nested(number, operation(item[method] as Node))] : [],
  );
  return message(...operations, ...each(9, item.parameters, parametersItem), ...extensions(10, item));
}

function operation(of: Node): Uint8Array {
  return message(
    ...each(1, of.tags, utf8),
    text(3, of.description),
    ...each(6, of.produces, utf8),
    ...each(7, of.consumes, utf8),
    ...each(8, of.parameters, parametersItem),
    nested(9, message(...named(1, of.responses as Node, (one) => message(nested(1, response(one as Node)))))),
    ...extensions(13, of),
  );
}

function response(of: Node): Uint8Array {
  const body = of.schema ? [nested(2, message(nested(1, schema(of.schema as Node))))] : [];
  return message(text(1, of.description), ...body);
}

/** The kinds of parameter differ in nothing but where the fields stand. */
function parametersItem(of: unknown): Uint8Array {
  const { in: place, name, required, description, type, schema: body } = of as Node;
  if (place === 'body') {
    const made = message(text(2, name), text(3, place), flag(4, required), nested(5, schema(body as Node)));
    return message(nested(1, message(nested(1, made))));
  }
  const head = [flag(1, required), text(2, place), text(3, description), text(4, name)];
  const made = place === 'query' ? message(...head, text(6, type)) : message(...head, text(5, type));
  return message(nested(1, message(nested(2, message(nested(place === 'query' ? 3 : 4, made))))));
}

function schema(of: unknown): Uint8Array {
  const node = of as Node;
  const { additionalProperties, items, properties, type } = node;
  return message(
    text(1, node.$ref),
    text(2, node.format),
    text(4, node.description),
    ...(node.default === undefined ? [] : [nested(5, any(node.default))]),
    double(7, node.maximum),
    double(9, node.minimum),
    whole(11, node.maxLength),
    whole(12, node.minLength),
    text(13, node.pattern),
    whole(14, node.maxItems),
    whole(15, node.minItems),
    ...each(19, node.required, utf8),
    ...each(20, node.enum, any),
    ...(additionalProperties ? [nested(21, message(nested(1, schema(additionalProperties))))] : []),
    ...(type ? [nested(22, message(text(1, type)))] : []),
    ...(items ? [nested(23, message(nested(1, schema(items))))] : []),
    ...(properties ? [nested(25, message(...named(1, properties as Node, schema)))] : []),
    ...extensions(31, node),
  );
}

function extensions(number: number, of: Node): Uint8Array[] {
  const own = Object.fromEntries(Object.entries(of).filter(([key]) => key.startsWith('x-')));
  return named(number, own, any);
}

/** A value of any type travels as YAML, of which JSON is a part. */
function any(value: unknown): Uint8Array {
  return message(text(2, JSON.stringify(value)));
}

function named(number: number, of: Node, encode: (value: unknown) => Uint8Array): Uint8Array[] {
  return Object.entries(of).map(([name, value]) => nested(number, message(text(1, name), nested(2, encode(value)))));
}

function each(number: number, list: unknown, encode: (value: unknown) => Uint8Array): Uint8Array[] {
  return ((list ?? []) as unknown[]).map((value) => nested(number, encode(value)));
}

const NOTHING = new Uint8Array();
const encoder = new TextEncoder();
const utf8 = (value: unknown) => encoder.encode(value as string);

function message(...parts: Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

function text(number: number, value: unknown): Uint8Array {
  return typeof value === 'string' && value !== '' ? nested(number, utf8(value)) : NOTHING;
}

/** A length-delimited field: text, bytes or a message. */
function nested(number: number, bytes: Uint8Array): Uint8Array {
  return message(varint((number << 3) | 2), varint(bytes.length), bytes);
}

function whole(number: number, value: unknown): Uint8Array {
  return typeof value === 'number' ? message(varint(number << 3), varint(value)) : NOTHING;
}

function flag(number: number, value: unknown): Uint8Array {
  return value === true ? message(varint(number << 3), varint(1)) : NOTHING;
}

function double(number: number, value: unknown): Uint8Array {
  if (typeof value !== 'number') return NOTHING;
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return message(varint((number << 3) | 1), bytes);
}

function varint(value: number): Uint8Array {
  const bytes: number[] = [];
  for (let rest = value; ; rest = Math.floor(rest / 128)) {
    if (rest < 128) return Uint8Array.from([...bytes, rest]);
    bytes.push((rest % 128) | 128);
  }
}
