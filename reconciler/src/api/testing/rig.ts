/** The API on a store in memory, and a client that speaks to it as others do: TLS, HTTP/2, a token. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import http2 from 'node:http2';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Ambient, type PlumbObject, realAmbient } from '@plumb/schemas';
import { tokenOfKubeconfig } from '../../pki/kubeconfig.ts';
import { openPki, type Pki } from '../../pki/open.ts';
import type { User } from '../../pki/tokens.ts';
import { EventRing } from '../../runtime/events.ts';
import { FakeClock } from '../../runtime/fake-clock.ts';
import { MemoryStore } from '../../store/memory.ts';
import type { Store } from '../../store/store.ts';
import { type ApiOptions, startApi } from '../start.ts';

export interface Answer {
  status: number;
  headers: http2.IncomingHttpHeaders;
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read bodies of every shape
  body: any;
}

export interface WatchLine {
  type: string;
  // biome-ignore lint/suspicious/noExplicitAny: tests read objects of every shape
  object: any;
}

export interface Asking {
  body?: unknown;
  headers?: Record<string, string | string[]>;
  /** Instead of the administrator's; empty: none. */
  token?: string;
}

export interface ApiRig {
  url: string;
  port: number;
  store: Store;
  clock: FakeClock;
  ambient: Ambient;
  events: EventRing;
  pki: Pki;
  token: string;
  ask(method: string, path: string, asking?: Asking): Promise<Answer>;
  /** PUT of the object at its newest version, as clients send it that have read it. */
  replace(path: string, body: object, asking?: Asking): Promise<Answer>;
  /** Lines of a watch as they come. */
  watch(path: string, headers?: Record<string, string>): WatchReader;
  stop(): Promise<void>;
}

function isRaw(body: unknown): body is string | Buffer {
  return typeof body === 'string' || Buffer.isBuffer(body);
}

export interface WatchReader {
  /** Status of the answer. */
  status: Promise<number>;
  /** The next line; undefined when the server ended the watch. */
  next(): Promise<WatchLine | undefined>;
  end(): void;
}

export const V1 = '/apis/plumb.dev/v1';

/** `users`: who is known by which token beside the administrator. */
export async function startApiRig({
  users = {},
  ...options
}: Partial<ApiOptions> & { users?: Record<string, User> } = {}): Promise<ApiRig> {
  const clock = new FakeClock(Date.now());
  const ambient: Ambient = { ...realAmbient(), clock };
  const store = options.store ?? new MemoryStore();
  const dataDir = await mkdtemp(join(tmpdir(), 'plumb-api-'));
  const pki = await openPki({ dataDir, store, ambient, host: '127.0.0.1' });
  const events = new EventRing({ ambient });
  const api = await startApi({
    store,
    ambient,
    tls: pki.tls,
    tokens: { check: (secret, use) => users[secret] ?? pki.tokens.check(secret, use) },
    accountKey: pki.accountKey,
    listen: { host: '127.0.0.1', port: 0 },
    events,
    ...options,
  });
  const token = tokenOfKubeconfig(await readFile(await pki.writeKubeconfig(api.url), 'utf8'))!;
  const session = http2.connect(api.url, { ca: pki.authority });
  session.on('error', () => {});

  const open = (method: string, path: string, asking: Asking) => {
    const bearer = asking.token ?? token;
    const stream = session.request(
      {
        ':method': method,
        ':path': path,
        ...(bearer ? { authorization: `Bearer ${bearer}` } : {}),
        ...(asking.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...asking.headers,
      },
      { endStream: false },
    );
    if (asking.body === undefined) stream.end();
    else stream.end(isRaw(asking.body) ? asking.body : JSON.stringify(asking.body));
    stream.setEncoding('utf8');
    return stream;
  };

  const rig: ApiRig = {
    url: api.url,
    port: api.port,
    store,
    clock,
    ambient,
    events,
    pki,
    token,
    ask(method, path, asking = {}) {
      return new Promise((resolve, reject) => {
        const stream = open(method, path, asking);
        let headers: http2.IncomingHttpHeaders & { ':status'?: number } = {};
        let text = '';
        stream.on('response', (received) => {
          headers = received;
        });
        stream.on('data', (part: string) => {
          text += part;
        });
        stream.on('error', reject);
        stream.on('end', () => {
          const json = String(headers['content-type']).startsWith('application/json');
          resolve({
            status: headers[':status'] ?? 0,
            headers,
            text,
            body: json && text ? JSON.parse(text) : undefined,
          });
        });
      });
    },
    async replace(path, body, asking = {}) {
      const of = path.split('?', 1)[0]!.replace(/\/status$/, '');
      const { resourceVersion } = (await rig.ask('GET', of)).body.metadata;
      const metadata = { resourceVersion, ...(body as { metadata?: object }).metadata };
      return rig.ask('PUT', path, { ...asking, body: { ...body, metadata } });
    },
    watch(path, headers = {}) {
      const stream = open('GET', path, { headers });
      stream.on('error', () => {});
      return readLines(stream);
    },
    async stop() {
      session.destroy();
      await api.close();
      await pki.close();
      await store.close();
      await rm(dataDir, { recursive: true });
    },
  };
  // On a connection on which nobody has shown a token few requests are answered.
  await rig.ask('GET', '/api');
  return rig;
}

function readLines(stream: http2.ClientHttp2Stream): WatchReader {
  const lines = parts(stream);
  return {
    status: new Promise((resolve) => stream.on('response', (headers) => resolve(headers[':status'] ?? 0))),
    async next() {
      const { value, done } = await lines.next();
      return done ? undefined : value;
    },
    end: () => stream.close(),
  };
}

async function* parts(stream: http2.ClientHttp2Stream): AsyncGenerator<WatchLine> {
  let rest = '';
  for await (const part of stream) {
    const pieces = (rest + part).split('\n');
    rest = pieces.pop()!;
    for (const piece of pieces) yield JSON.parse(piece) as WatchLine;
  }
}

/** Manifests that hold nothing but what must be there. */
export const manifests = {
  zone: (name: string, more: Partial<PlumbObject['metadata']> = {}) => ({
    apiVersion: 'plumb.dev/v1',
    kind: 'Zone',
    metadata: { name, ...more },
    spec: {},
  }),
  offering: (name: string, spec: Record<string, unknown> = {}) => ({
    apiVersion: 'plumb.dev/v1',
    kind: 'InstanceOffering',
    metadata: { name },
    spec: { cpus: 1, memoryMiB: 128, ...spec },
  }),
  instance: (name: string, spec: Record<string, unknown> = {}) => ({
    apiVersion: 'plumb.dev/v1',
    kind: 'Instance',
    metadata: { name },
    spec: {
      zone: 'home',
      offering: 'small',
      image: 'tiny',
      interfaces: [{ name: 'eth0', l3Network: 'lab' }],
      ...spec,
    },
  }),
};
