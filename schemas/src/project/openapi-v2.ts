/**
 * OpenAPI v2 (Swagger) of all groups in one document, made of the documents of v3. kubectl still reads it for what v3 has no path for
 * (a v1 List, `edit` of several objects), and so do clients that are older than v3.
 */
import type { OpenApiDocument } from './openapi.ts';
import type { SchemaNode } from './validate-schema.ts';

type Node = Record<string, unknown>;

interface V3 {
  paths: Record<string, Record<string, unknown>>;
  components: { schemas: Record<string, SchemaNode> };
}

const METHODS = ['get', 'put', 'post', 'delete', 'patch'] as const;

/** One document of those of the groups; what several of them define is the same in all. */
export function swaggerDocument(documents: readonly OpenApiDocument[], version: string): Node {
  const paths: Node = {};
  const definitions: Node = {};
  for (const { paths: of, components } of documents as unknown as V3[]) {
    for (const [path, item] of Object.entries(of)) paths[path] = pathItem(item);
    for (const [name, schema] of Object.entries(components.schemas)) definitions[name] = swaggerSchema(schema);
  }
  return {
    swagger: '2.0',
    info: { title: 'Plumb', version },
    paths: sorted(paths),
    definitions: sorted(definitions),
    securityDefinitions: {
      BearerToken: {
        type: 'apiKey',
        name: 'authorization',
        in: 'header',
        description: 'Bearer token of the kubeconfig.',
      },
    },
    security: [{ BearerToken: [] }],
  };
}

function pathItem(item: Record<string, unknown>): Node {
  const made: Node = {};
  for (const method of METHODS) if (item[method]) made[method] = operation(item[method] as Node);
  const parameters = item.parameters as Node[] | undefined;
  if (parameters && parameters.length > 0) made.parameters = parameters.map(parameter);
  return made;
}

function operation({ parameters = [], requestBody, responses = {}, ...others }: Node): Node {
  const content = (requestBody as { content?: Node } | undefined)?.content ?? {};
  const [first] = Object.values(content) as { schema: SchemaNode }[];
  const body = first ? [{ in: 'body', name: 'body', required: true, schema: swaggerSchema(first.schema) }] : [];
  return {
    ...others,
    consumes: first ? Object.keys(content) : ['*/*'],
    produces: ['application/json', 'application/yaml'],
    parameters: [...body, ...(parameters as Node[]).map(parameter)],
    responses: Object.fromEntries(
      Object.entries(responses as Record<string, Node>).map(([code, of]) => [code, response(of)]),
    ),
  };
}

function parameter({ schema, ...others }: Node): Node {
  return { ...others, type: (schema as SchemaNode).type, uniqueItems: true };
}

function response({ description, content }: Node): Node {
  const [first] = Object.values((content as Node | undefined) ?? {}) as { schema: SchemaNode }[];
  return { description, ...(first ? { schema: swaggerSchema(first.schema) } : {}) };
}

/** Keywords that both have. */
const SAME = [
  ...['type', 'description', 'enum', 'default', 'format', 'pattern', 'minLength', 'maxLength', 'minItems', 'maxItems'],
  ...['minimum', 'maximum', 'required'],
];

/** A closed object is one with properties there; a reference stands alone but for its description. */
export function swaggerSchema(schema: SchemaNode): Node {
  const made: Node = {};
  for (const [keyword, value] of Object.entries(schema))
    if (SAME.includes(keyword) || keyword.startsWith('x-kubernetes-')) made[keyword] = value;
  const [inherited] = (schema.allOf as SchemaNode[] | undefined) ?? [];
  const reference = (inherited ?? schema).$ref as string | undefined;
  if (reference) made.$ref = reference.replace('#/components/schemas/', '#/definitions/');
  if (schema.properties)
    made.properties = Object.fromEntries(
      Object.entries(schema.properties).map(([key, of]) => [key, swaggerSchema(of)]),
    );
  if (schema.items) made.items = swaggerSchema(schema.items);
  if (typeof schema.additionalProperties === 'object')
    made.additionalProperties = swaggerSchema(schema.additionalProperties);
  return made;
}

function sorted(node: Node): Node {
  return Object.fromEntries(Object.entries(node).sort(([a], [b]) => (a < b ? -1 : 1)));
}
