/** What client-go 0.36 sent for every built-in kind (e2e/clients/builtin), once more; and answers in protobuf. */
import { readFileSync } from 'node:fs';
import http2 from 'node:http2';
import { join } from 'node:path';
import { builtinKinds } from '@plumb/schemas';
import { decodeEvents, decodeObject, encodeObject } from '@plumb/schemas/protobuf/envelope.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

interface Sent {
  method: string;
  path: string;
  type?: string;
  body?: string;
  status: number;
}

const sent = readFileSync(join(import.meta.dirname, 'testing/client-go-0.36.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Sent);

let api: ApiRig;
beforeAll(async () => {
  api = await startApiRig();
});
afterAll(() => api.stop());

/** The body; of an update that was right, with the version and uid that the object has here. */
async function bodyOf({ method, path, body, status }: Sent): Promise<Buffer | undefined> {
  const bytes = body === undefined ? undefined : Buffer.from(body, 'base64');
  if (method !== 'PUT' || status !== 200 || !bytes) return bytes;
  const { metadata } = (await api.ask('GET', path)).body;
  const object = decodeObject(bytes);
  const { uid, resourceVersion } = metadata;
  return encodeObject({ ...object, metadata: { ...(object.metadata as object), uid, resourceVersion } });
}

test('each is answered as it was', async () => {
  expect(new Set(sent.map(({ path }) => path.split('?')[0])).size).toBe(2 * builtinKinds.length);
  for (const one of sent) {
    const body = await bodyOf(one);
    const headers = { ...(one.type ? { 'content-type': one.type } : {}), accept: PROTOBUF };
    const answer = await whole(one.method, one.path, headers, body);
    expect([one.method, one.path, answer.status]).toEqual([one.method, one.path, one.status]);
    expect(answer.type).toBe(PROTOBUF);
    const object = decodeObject(answer.bytes);
    if (answer.status >= 400) expect(object).toMatchObject({ kind: 'Status', code: answer.status });
  }
});

let session: http2.ClientHttp2Session | undefined;
afterAll(() => session?.destroy());

/** As the rig's ask, with the answer as bytes: all of them, or as soon as `enough`. */
function whole(
  method: string,
  path: string,
  headers: Record<string, string>,
  body?: Buffer,
  enough: (bytes: Buffer) => boolean = () => false,
) {
  session ??= http2.connect(api.url, { ca: api.pki.authority });
  const stream = session.request(
    {
      ':method': method,
      ':path': path,
      authorization: `Bearer ${api.token}`,
      ...headers,
    },
    { endStream: false },
  );
  return new Promise<{ status: number; type: string; bytes: Buffer }>((resolve, reject) => {
    let bytes = Buffer.alloc(0);
    let status = 0;
    let type = '';
    stream.on('response', (head) => {
      status = Number(head[':status']);
      type = String(head['content-type']);
    });
    const end = () => resolve({ status, type, bytes });
    stream.on('data', (part: Buffer) => {
      bytes = Buffer.concat([bytes, part]);
      if (!enough(bytes)) return;
      end();
      stream.close();
    });
    stream.on('error', reject);
    stream.on('end', end);
    stream.end(body);
  });
}

describe('answers', () => {
  const path = '/api/v1/namespaces/default/configmaps';
  beforeAll(async () => {
    for (const name of ['a', 'b']) await api.ask('POST', path, { body: { metadata: { name }, data: { key: name } } });
    await api.ask('POST', `${V1}/zones`, { body: manifests.zone('home') });
  });

  test('are in the form that is preferred of those there are', async () => {
    const type = async (at: string, accept: string) => (await whole('GET', at, { accept })).type;
    expect(await type(`${path}/a`, `${PROTOBUF},application/json`)).toBe(PROTOBUF);
    expect(await type(`${path}/a`, `application/json,${PROTOBUF}`)).toBe('application/json');
    // Kinds of Plumb have no messages, but their metadata has one.
    expect(await type(`${V1}/zones/home`, `${PROTOBUF},application/json`)).toBe('application/json');
    expect((await whole('GET', `${V1}/zones/home`, { accept: PROTOBUF })).status).toBe(406);
    const partial = `${PROTOBUF};as=PartialObjectMetadata;g=meta.k8s.io;v=v1`;
    expect(await type(`${V1}/zones/home`, partial)).toBe(PROTOBUF);
    const table = `${PROTOBUF};as=Table;g=meta.k8s.io;v=v1,application/json;as=Table;g=meta.k8s.io;v=v1`;
    expect(await type(path, table)).toBe('application/json');
  });

  test('say the same as in JSON: objects, lists, events', async () => {
    for (const at of [`${path}/a`, path, '/api/v1/namespaces']) {
      const { body } = await api.ask('GET', at);
      expect(withoutEmpty(decodeObject((await whole('GET', at, { accept: PROTOBUF })).bytes))).toEqual(
        withoutEmpty(body),
      );
    }
    const watch = `${path}?watch=true`;
    const lines = api.watch(watch);
    const answer = whole('GET', watch, { accept: PROTOBUF }, undefined, (bytes) => countOf(bytes) === 3);
    const events = [await lines.next(), await lines.next()];
    await api.ask('DELETE', `${path}/b`);
    events.push(await lines.next());
    lines.end();
    const { type, bytes } = await answer;
    expect(type).toBe(`${PROTOBUF};stream=watch`);
    expect([...decodeEvents(bytes)]).toEqual(events);
  });
});

/** How many events are there, whole. */
function countOf(bytes: Buffer): number {
  let count = 0;
  for (let at = 0; at + 4 <= bytes.length; at += 4 + bytes.readUInt32BE(at))
    if (at + 4 + bytes.readUInt32BE(at) <= bytes.length) count++;
  return count;
}

/** Lists say empty texts in JSON, and their items their kind. */
function withoutEmpty(value: unknown): unknown {
  const { items, metadata, ...others } = value as { items?: object[]; metadata: Record<string, unknown> };
  const kept = Object.fromEntries(Object.entries(metadata).filter(([, field]) => field !== ''));
  const plain = items?.map((item) => {
    const { apiVersion: _a, kind: _k, ...rest } = item as Record<string, unknown>;
    return withoutEmpty(rest);
  });
  return { ...others, metadata: kept, ...(plain ? { items: plain } : {}) };
}
