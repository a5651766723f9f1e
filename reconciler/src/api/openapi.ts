/**
 * `/openapi/v3`: an index of documents by group and version, each at a URL that changes with its content. `/openapi/v2`: all of them
 * in one, as JSON or as protobuf, for clients and questions that v3 does not serve.
 */
import { createHash } from 'node:crypto';
import { terminal } from '@plumb/schemas';
import { type OpenApiDocument, openApiDocument } from '@plumb/schemas/project/openapi.ts';
import { swaggerDocument } from '@plumb/schemas/project/openapi-v2.ts';
import { swaggerProtobuf } from '@plumb/schemas/project/openapi-v2-proto.ts';
import { statusOf } from './failure.ts';
import { clausesOf, notAcceptable } from './media.ts';
import { JSON_TYPE, json, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import type { Served } from './served.ts';

const V2 = '/openapi/v2';
const VARY_V2 = 'Accept-Encoding, Accept';
const V3 = '/openapi/v3';

/** Answers `/openapi/v2`, `/openapi/v3` and below; undefined for other paths. */
export type OpenApi = (request: ApiRequest) => Reply | undefined;

interface Text {
  body: string | Buffer;
  type: string;
  hash: string;
}

interface Documents {
  v3: Map<string, Text>;
  json: Text;
  protobuf: Text;
}

/** What clients of Go ask for, spelt as they spell it now and as they did before. */
const PROTOBUF = [
  'application/com.github.proto-openapi.spec.v2.v1.0+protobuf',
  'application/com.github.proto-openapi.spec.v2@v1.0+protobuf',
] as const;

/** Documents are made at the first request that needs them: a server that nobody explains starts without. */
export function openApiOf(served: readonly Served[]): OpenApi {
  let documents: Documents | undefined;
  return (request) => {
    const { path } = request;
    if (path !== V2 && path !== V3 && !path.startsWith(`${V3}/`)) return undefined;
    documents ??= makeDocuments(served);
    if (path === V2) return answer(request, whole(request, documents), VARY_V2);
    if (path === V3) return index(documents.v3);
    const document = documents.v3.get(path.slice(V3.length + 1));
    if (!document) throw terminal('NotFound', `there is no OpenAPI document at ${path.slice(0, 200)}`);
    return answer(request, document, 'Accept');
  };
}

function index(documents: Documents['v3']): Reply {
  const paths = Object.fromEntries(
    [...documents].map(([name, { hash }]) => [name, { serverRelativeURL: `${V3}/${name}?hash=${hash}` }]),
  );
  return { status: 200, type: JSON_TYPE, body: JSON.stringify({ paths }) };
}

function answer(request: ApiRequest, text: Text | undefined, vary: string): Reply {
  if (!text) return json(406, statusOf(notAcceptable([JSON_TYPE, PROTOBUF[0]])), { vary });
  const { body, type, hash } = text;
  const etag = `"${hash}"`;
  const forever = request.query.get('hash') === hash;
  const headers = {
    etag,
    vary,
    'cache-control': forever ? 'public, immutable, max-age=31536000' : 'no-cache, private',
  };
  if (request.headers['if-none-match'] === etag) return { status: 304, type, body: '', headers };
  return { status: 200, type, body, headers };
}

/** Undefined when the client takes neither. */
function whole(request: ApiRequest, { json: text, protobuf }: Documents): Text | undefined {
  const header = request.headers.accept ?? '';
  if (header === '') return text;
  for (const { type, subtype } of clausesOf(header)) {
    const range = `${type}/${subtype}`;
    if (PROTOBUF.some((one) => one === range)) return protobuf;
    if ([JSON_TYPE, 'application/*', '*/*'].includes(range)) return text;
  }
  return undefined;
}

function makeDocuments(served: readonly Served[]): Documents {
  const groups = Map.groupBy(
    served.filter(({ openApi }) => openApi !== undefined),
    ({ names }) => (names.group === '' ? `api/${names.version}` : `apis/${names.group}/${names.version}`),
  );
  const documents = [...groups].map(([name, of]): [string, OpenApiDocument] => {
    const { group, version } = of[0]!.names;
    return [name, openApiDocument({ group, version, kinds: of.map(({ openApi }) => openApi!) })];
  });
  const swagger = swaggerDocument(
    documents.map(([, document]) => document),
    'v1',
  );
  return {
    v3: new Map(documents.map(([name, document]) => [name, textOf(JSON.stringify(document), JSON_TYPE)])),
    json: textOf(JSON.stringify(swagger), JSON_TYPE),
    protobuf: textOf(Buffer.from(swaggerProtobuf(swagger)), PROTOBUF[0]),
  };
}

function textOf(body: string | Buffer, type: string): Text {
  return { body, type, hash: createHash('sha256').update(body).digest('hex').toUpperCase() };
}
