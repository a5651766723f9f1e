/** Sends the requests of a case to a server, and writes down what it answers. */
import { gunzipSync } from 'node:zlib';
import { parse } from 'yaml';
import type { Ask, Case, Step, Transcript, WatchStep } from './case.ts';
import { Names } from './normal.ts';
import type { Raw, Sent, Wire } from './wire.ts';

export interface Playing {
  wire: Wire;
  /** Unique among all that is played on the server. */
  id: string;
  /** How long a watch must be silent before it is believed to be. */
  quietMs: number;
  /** How long what happens by itself may take. */
  patienceMs: number;
  /** How many events are waited for, if that is known: of each watch, by its step. */
  expected?: (step: number) => number | undefined;
}

/** Headers of the answer that clients act upon. */
const HEADERS = [
  ...['content-type', 'cache-control', 'content-encoding', 'warning', 'retry-after', 'allow', 'www-authenticate'],
  ...['vary', 'location'],
];

type Saved = Record<string, { rv: string; uid: string; continue: string; name: string }>;

/** The answers, in the order of the steps. Rejects when what is to be ready cannot be made. */
export async function play({ steps }: Case, playing: Playing): Promise<Transcript[]> {
  const player = new Player(playing);
  if (JSON.stringify(steps).includes('{ns}')) await player.namespace();
  const transcripts: Transcript[] = [];
  for (const [index, step] of steps.entries()) transcripts.push(...(await player.step(step, index)));
  return transcripts;
}

class Player {
  readonly #playing: Playing;
  readonly #saved: Saved = {};
  readonly #names = new Names();
  /** Versions that were put into bodies as the object had them. */
  readonly #filled = new Set<string>();

  constructor(playing: Playing) {
    this.#playing = playing;
  }

  async namespace(): Promise<void> {
    const body = { apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.#playing.id } };
    await this.#ask({ method: 'POST', path: '/api/v1/namespaces', body, setUp: true });
  }

  async step(step: Step, index: number): Promise<Transcript[]> {
    if ('watch' in step) return this.#watch(step, index);
    const transcript = await this.#ask(step);
    return step.setUp ? [] : [transcript];
  }

  async #ask(step: Ask): Promise<Transcript> {
    const sent = this.#sent(step.fresh ? { ...step, body: await this.#fresh(step) } : step);
    const until = performance.now() + this.#playing.patienceMs;
    let raw = await this.#playing.wire.ask(sent);
    while (step.until !== undefined && raw.status !== step.until && performance.now() < until) {
      await new Promise((resolve) => setTimeout(resolve, 20));
      raw = await this.#playing.wire.ask(sent);
    }
    const parsed = read(raw);
    if (step.setUp && raw.status >= 300) throw new Error(`${sent.method} ${sent.path}: ${raw.status} ${raw.body}`);
    if (step.save !== undefined) this.#saved[step.save] = savedOf(parsed);
    return this.#transcript(sent, step, raw, parsed);
  }

  async #fresh({ path, body }: Ask): Promise<unknown> {
    const { pathname } = new URL(this.#fill(path), 'https://any');
    const object = pathname.replace(/\/status$/, '');
    const raw = await this.#playing.wire.ask({ method: 'GET', path: object, headers: {} });
    const { metadata } = (JSON.parse(raw.body.toString()) as { metadata?: { resourceVersion?: string } }) ?? {};
    const sent = body as { metadata?: object };
    if (metadata?.resourceVersion) this.#filled.add(metadata.resourceVersion);
    return { ...sent, metadata: { resourceVersion: metadata?.resourceVersion, ...sent.metadata } };
  }

  async #watch(step: WatchStep, index: number): Promise<Transcript[]> {
    const { wire, quietMs, patienceMs, expected } = this.#playing;
    const sent = this.#sent({ path: step.watch, headers: step.headers ?? {} });
    const open = await wire.watch(sent);
    const during: Transcript[] = [];
    if (open.status === 200)
      for (const ask of step.during ?? []) {
        const transcript = await this.#ask(ask);
        if (!ask.setUp) during.push(transcript);
      }
    const wanted = open.status === 200 ? expected?.(index) : undefined;
    if (open.status !== 200 || wanted === undefined) {
      for (let seen = -1; seen !== open.lines.length; ) {
        seen = open.lines.length;
        await open.until(Number.POSITIVE_INFINITY, quietMs);
      }
    } else {
      await open.until(wanted, patienceMs);
      // Whatever is there too much comes at once.
      await open.until(Number.POSITIVE_INFINITY, quietMs);
    }
    open.close();
    const raw = { ...open, body: Buffer.from(open.lines.join('\n')) };
    if (open.status !== 200) return [this.#transcript(sent, {}, raw, read(raw))];
    const events = open.lines.map((line) => this.#named(JSON.parse(line)));
    const { body: _, ...transcript } = this.#transcript(sent, {}, raw, undefined);
    return [{ ...transcript, events }, ...during];
  }

  #transcript(sent: Sent, { pick }: Pick<Ask, 'pick'>, raw: Raw, parsed: unknown): Transcript {
    const headers: Record<string, string> = {};
    for (const name of HEADERS) {
      const value = raw.headers[name];
      if (value !== undefined) headers[name] = this.#names.text(String(value));
    }
    const { method, path, body } = sent;
    // As it stands in the corpus, not as it was filled in: golden files say which request they answer.
    const request = this.#unfilled(`${method} ${path}${body === undefined ? '' : ` ${body.toString().slice(0, 400)}`}`);
    const shown = pick ? picked(parsed, pick) : parsed;
    return { request, status: raw.status, headers, ...(shown === undefined ? {} : { body: this.#named(shown) }) };
  }

  #named(value: unknown): unknown {
    const text = JSON.stringify(this.#names.body(value));
    return JSON.parse(text.replaceAll(this.#playing.id, '{id}'));
  }

  #unfilled(text: string): string {
    let made = text.replaceAll(this.#playing.id, '{id}');
    for (const [name, of] of Object.entries(this.#saved))
      for (const [field, value] of Object.entries(of))
        if (value.length > 8) made = made.replaceAll(value, `{${name}.${field}}`);
    for (const rv of [...Object.values(this.#saved).map(({ rv }) => rv), ...this.#filled])
      made = made.replaceAll(new RegExp(`(resourceVersion(?:":"|: "|=))${rv || 'x'}(?!\\d)`, 'g'), '$1{rv}');
    return made.replaceAll(/(resourceVersion(?:":"|: "|=))\d{2,}/g, '$1{rv}');
  }

  #sent({ method = 'GET', path, body, headers = {}, anonymous }: Partial<Ask> & { path: string }): Sent {
    return {
      method,
      path: this.#fill(path),
      headers: Object.fromEntries(Object.entries(headers).map(([key, value]) => [key, this.#fill(value)])),
      ...(anonymous ? { anonymous } : {}),
      ...(body === undefined ? {} : { body: this.#fill(typeof body === 'string' ? body : JSON.stringify(body)) }),
    };
  }

  #fill(text: string): string {
    return text.replaceAll(/\{(ns|id|([a-z0-9]+)\.(rv|uid|continue|name))\}/g, (whole, word, name, field) => {
      if (word === 'ns' || word === 'id') return this.#playing.id;
      const saved = this.#saved[name];
      if (!saved) throw new Error(`nothing was saved as ${whole}`);
      return saved[field as 'rv'];
    });
  }
}

function savedOf(parsed: unknown): Saved[string] {
  const { metadata } = (parsed ?? {}) as { metadata?: Record<string, string> };
  const { resourceVersion = '', uid = '', continue: token = '', name = '' } = metadata ?? {};
  return { rv: resourceVersion, uid, continue: encodeURIComponent(token), name };
}

/** JSON and YAML as values, protobuf by its bytes, anything else as text. Undefined: no body. */
function read({ headers, body }: Raw): unknown {
  const bytes = headers['content-encoding'] === 'gzip' && body.length > 0 ? gunzipSync(body) : body;
  if (bytes.length === 0) return undefined;
  const type = String(headers['content-type'] ?? '').split(';')[0]!;
  if (type === 'application/yaml') return parse(bytes.toString());
  if (type === 'application/json') return JSON.parse(bytes.toString());
  if (type.includes('protobuf')) return { protobuf: bytes.subarray(0, 4).toString('latin1') };
  return bytes.toString();
}

/** `a.b`, `groups[name=plumb.dev]`: what is picked, by its path. */
function picked(value: unknown, paths: readonly string[]): unknown {
  return Object.fromEntries(paths.map((path) => [path, pickOne(value, path)]));
}

function pickOne(value: unknown, path: string): unknown {
  let found: unknown = value;
  for (const [, name, key, wanted] of path.matchAll(/([^.[\]]+)(?:\[([^=\]]+)=([^\]]*)\])?/g)) {
    found = (found as Record<string, unknown> | undefined)?.[name!];
    if (key === undefined) continue;
    const at = (item: unknown) => key.split('/').reduce<unknown>((part, k) => (part as never)?.[k], item);
    found = Array.isArray(found) ? found.find((item) => at(item) === wanted) : undefined;
  }
  return found ?? null;
}
