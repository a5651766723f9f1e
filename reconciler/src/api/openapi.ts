/** `/openapi/v3`: an index of documents by group and version, each at a URL that changes with its content. */
import { createHash } from 'node:crypto';
import { terminal } from '@plumb/schemas';
import { openApiDocument } from '@plumb/schemas/project/openapi.ts';
import { JSON_TYPE, type Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';
import type { Served } from './served.ts';

const ROOT = '/openapi/v3';

/** Answers `/openapi/v3` and below; undefined for other paths. */
export type OpenApi = (request: ApiRequest) => Reply | undefined;

/** Documents are made at the first request that needs them: a server that nobody explains starts without. */
export function openApiOf(served: readonly Served[]): OpenApi {
  let documents: Map<string, { text: string; hash: string }> | undefined;
  return (request) => {
    if (request.path !== ROOT && !request.path.startsWith(`${ROOT}/`)) return undefined;
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw terminal('MethodNotAllowed', `${request.method} is not served at ${request.path.slice(0, 200)}`);
    documents ??= makeDocuments(served);
    if (request.path === ROOT) {
      const paths = Object.fromEntries(
        [...documents].map(([name, { hash }]) => [name, { serverRelativeURL: `${ROOT}/${name}?hash=${hash}` }]),
      );
      return { status: 200, type: JSON_TYPE, body: JSON.stringify({ paths }) };
    }
    const document = documents.get(request.path.slice(ROOT.length + 1));
    if (!document) throw terminal('NotFound', `there is no OpenAPI document at ${request.path}`);
    const etag = `"${document.hash}"`;
    const forever = request.query.get('hash') === document.hash;
    const headers = { etag, 'cache-control': forever ? 'public, immutable, max-age=31536000' : 'no-cache' };
    if (request.headers['if-none-match'] === etag) return { status: 304, type: JSON_TYPE, body: '', headers };
    return { status: 200, type: JSON_TYPE, body: document.text, headers };
  };
}

function makeDocuments(served: readonly Served[]): Map<string, { text: string; hash: string }> {
  const groups = Map.groupBy(
    served.filter(({ openApi }) => openApi !== undefined),
    ({ names }) => (names.group === '' ? `api/${names.version}` : `apis/${names.group}/${names.version}`),
  );
  return new Map(
    [...groups].map(([name, of]) => {
      const { group, version } = of[0]!.names;
      const text = JSON.stringify(openApiDocument({ group, version, kinds: of.map(({ openApi }) => openApi!) }));
      return [name, { text, hash: createHash('sha256').update(text).digest('hex').toUpperCase() }];
    }),
  );
}
