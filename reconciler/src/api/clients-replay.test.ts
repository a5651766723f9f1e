/** What a controller of controller-runtime and Flux's packages asked a server (e2e/clients/gitops), once more. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { decodeObject, encodeObject } from '@plumb/schemas/protobuf/envelope.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type ApiRig, manifests, startApiRig, V1 } from './testing/rig.ts';

const PROTOBUF = 'application/vnd.kubernetes.protobuf';

interface Asked {
  method: string;
  path: string;
  type?: string;
  accept?: string;
  body?: string;
  status: number;
  /** Content type of what was answered. */
  answer?: string;
}

let api: ApiRig;
beforeEach(async () => {
  api = await startApiRig();
});
afterEach(() => api.stop());

const recorded = (client: string) => join(import.meta.dirname, `testing/${client}.jsonl`);

test.each(['controller', 'flux'])('%s is answered as it was', async (client) => {
  const lines = readFileSync(recorded(client), 'utf8').trim().split('\n');
  expect(lines.length).toBeGreaterThan(30);
  // Of the estate on which the controller was run it reads this one.
  if (client === 'controller')
    await api.ask('POST', `${V1}/namespaces/default/instances`, { body: manifests.instance('web-0') });
  for (const line of lines) {
    const one = JSON.parse(line) as Asked;
    const answer = await replayed(one);
    const said = answer.status >= 400 ? answer.text : '';
    expect([one.method, one.path, answer.status, said && JSON.stringify(said)]).toEqual([
      one.method,
      one.path,
      one.status,
      said && expect.any(String),
    ]);
    expect(answer.headers['content-type']?.split(',')[0]).toBe(one.answer);
    if (['DELETE', 'PATCH'].includes(one.method) && answer.status === 200) await letGo(pathOf(one));
  }
});

function replayed(one: Asked) {
  const { method, path, type, accept } = one;
  const headers = { ...(type ? { 'content-type': type } : {}), ...(accept ? { accept } : {}) };
  if (/[?&]watch=(true|1)/.test(path)) return watched(path, headers, one);
  return bodyOf(one).then((body) => api.ask(method, path, { headers, ...(body === undefined ? {} : { body }) }));
}

/** The answer's head; the watch itself would go on. */
async function watched(path: string, headers: Record<string, string>, { answer }: Asked) {
  const lines = api.watch(path, headers);
  const status = await lines.status;
  lines.end();
  return { status, text: '', headers: { 'content-type': answer } };
}

/** What was sent; with the version and the uid that the object has here, where it was right there. */
async function bodyOf(one: Asked): Promise<Buffer | undefined> {
  const { method, type = '', body, status } = one;
  const bytes = body === undefined ? undefined : Buffer.from(body, 'base64');
  const isUpdate = method === 'PUT' || type === 'application/merge-patch+json';
  if (!bytes || !isUpdate || status !== 200) return bytes;
  const { metadata } = (await api.ask('GET', pathOf(one))).body;
  const sent = type === PROTOBUF ? decodeObject(bytes) : JSON.parse(bytes.toString());
  const { resourceVersion, uid } = (sent.metadata ?? {}) as { resourceVersion?: string; uid?: string };
  const now = {
    ...sent,
    metadata: {
      ...sent.metadata,
      ...(resourceVersion === undefined ? {} : { resourceVersion: metadata.resourceVersion }),
      ...(uid === undefined ? {} : { uid: metadata.uid }),
    },
  };
  return type === PROTOBUF ? encodeObject(now) : Buffer.from(JSON.stringify(now));
}

function pathOf({ path }: Asked): string {
  return path.split('?')[0]!.replace(/\/status$/, '');
}

/** No controllers run here: what they would do for an object that is deleted is that they let go of it, here after all others. */
async function letGo(path: string): Promise<void> {
  const { status, body } = await api.ask('GET', path);
  const { finalizers = [], deletionTimestamp } = status === 200 ? (body.metadata ?? {}) : {};
  if (!deletionTimestamp || !finalizers.every((one: string) => one.startsWith('plumb.dev/'))) return;
  const headers = { 'content-type': 'application/merge-patch+json' };
  await api.ask('PATCH', path, { headers, body: { metadata: { finalizers: [] } } });
}
