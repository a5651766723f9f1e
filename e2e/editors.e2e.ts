/** What an editor makes of our JSON Schemas: yaml-language-server, as VS Code and others run it, over its own protocol. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { run } from '@plumb/cli/testing/run.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const SERVER = join(
  createRequire(import.meta.url).resolve('yaml-language-server'),
  '../../../bin/yaml-language-server',
);

interface Diagnostic {
  message: string;
  range: { start: { line: number } };
}

/** The part of the Language Server Protocol (3.17) that is needed here. */
class Editor {
  readonly #server: ChildProcess;
  readonly #answers = new Map<number, (result: unknown) => void>();
  readonly #diagnostics = new Map<string, (found: Diagnostic[]) => void>();
  #heard = Buffer.alloc(0);
  #last = 0;

  constructor() {
    this.#server = spawn(process.execPath, [SERVER, '--stdio'], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#server.stdout!.on('data', (part: Buffer) => this.#hear(part));
  }

  async open(): Promise<void> {
    const configuration = { dynamicRegistration: false };
    await this.ask('initialize', {
      processId: process.pid,
      rootUri: null,
      capabilities: { workspace: { configuration } },
    });
    this.tell('initialized', {});
    const yaml = { validate: true, completion: true, hover: true, schemaStore: { enable: false } };
    this.tell('workspace/didChangeConfiguration', { settings: { yaml } });
  }

  ask<T>(method: string, params: object): Promise<T> {
    const id = ++this.#last;
    const { promise, resolve } = Promise.withResolvers<unknown>();
    this.#answers.set(id, resolve);
    this.#send({ id, method, params });
    return promise as Promise<T>;
  }

  tell(method: string, params: object): void {
    this.#send({ method, params });
  }

  /** Opens the document, and resolves with what is marked in it. */
  marked(uri: string, text: string): Promise<Diagnostic[]> {
    const { promise, resolve } = Promise.withResolvers<Diagnostic[]>();
    this.#diagnostics.set(uri, resolve);
    this.tell('textDocument/didOpen', { textDocument: { uri, languageId: 'yaml', version: 1, text } });
    return promise;
  }

  close(): void {
    this.#server.kill();
  }

  #send(message: object): void {
    const text = JSON.stringify({ jsonrpc: '2.0', ...message });
    this.#server.stdin!.write(`Content-Length: ${Buffer.byteLength(text)}\r\n\r\n${text}`);
  }

  #hear(part: Buffer): void {
    this.#heard = Buffer.concat([this.#heard, part]);
    for (;;) {
      const head = this.#heard.indexOf('\r\n\r\n');
      if (head < 0) return;
      const length = Number(/Content-Length: (\d+)/i.exec(this.#heard.toString('latin1', 0, head))?.[1]);
      const end = head + 4 + length;
      if (this.#heard.length < end) return;
      const message = JSON.parse(this.#heard.toString('utf8', head + 4, end));
      this.#heard = this.#heard.subarray(end);
      this.#take(message);
    }
  }

  // biome-ignore lint/suspicious/noExplicitAny: messages are of every shape
  #take({ id, method, params, result }: any): void {
    if (method === 'textDocument/publishDiagnostics') this.#diagnostics.get(params.uri)?.(params.diagnostics);
    else if (method !== undefined && id !== undefined)
      this.#send({ id, result: method === 'workspace/configuration' ? params.items.map(() => null) : null });
    else if (id !== undefined) this.#answers.get(id)?.(result);
  }
}

let folder: string;
let editor: Editor;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-editors-'));
  await run(['schema', '--folder', folder]);
  editor = new Editor();
  await editor.open();
});
afterAll(() => {
  editor?.close();
  rmSync(folder, { recursive: true, force: true });
});

let documents = 0;
const place = () => pathToFileURL(join(folder, `m${++documents}.yaml`)).href;
const withSchema = (text: string, schema = 'all.json') => `# yaml-language-server: $schema=${schema}\n${text}`;
async function mistakes(text: string, schema?: string): Promise<string[]> {
  const found = await editor.marked(place(), withSchema(text, schema));
  return found.map(({ range, message }) => `${range.start.line}: ${message}`);
}

const instance = `apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: web-0}
spec:
  zone: home
  offering: small
  image: base
  interfaces: [{name: eth0, l3Network: lab}]
`;

describe('an editor', () => {
  test('marks nothing in what plumb init writes, nor in the example', async () => {
    await run(['init', join(folder, 'made')]);
    for (const name of ['hosts', 'networks', 'instances']) {
      const text = readFileSync(join(folder, 'made', `${name}.yaml`), 'utf8').replace(/^#.*\n/, '');
      expect(await mistakes(text)).toEqual([]);
    }
    const example = join(import.meta.dirname, '..', 'examples', 'manifests', 'quickstart.yaml');
    expect(await mistakes(readFileSync(example, 'utf8'))).toEqual([]);
  });

  test.each([
    ['an unknown field', instance.replace('image:', 'imgae:'), /^[45678]: .*(imgae|image)/],
    ['a wrong type', instance.replace('zone: home', 'zone: 7'), /^5: .*string/],
    ['a wrong kind', instance.replace('kind: Instance', 'kind: Instances'), /^2: .*Instance/],
    ['a group that is not its own', instance.replace('plumb.dev/v1', 'v1'), /^1: .*plumb\.dev\/v1/],
    [
      'what is out of bounds',
      'apiVersion: plumb.dev/v1\nkind: InstanceOffering\nmetadata: {name: a}\nspec: {cpus: 0, memoryMiB: 64}\n',
      /^4: .*1/,
    ],
    [
      'an item of a list',
      `apiVersion: v1\nkind: List\nitems:\n${instance
        .replace('zone: home', 'zone: 7')
        .replace(/^(?=.)/gm, '    ')
        .replace('    a', '  - a')}`,
      /^8: .*string/,
    ],
  ])('marks %s at its line', async (_, text, wanted) => {
    const found = await mistakes(text);
    expect(
      found.some((mistake) => wanted.test(mistake)),
      found.join('\n'),
    ).toBe(true);
  });

  test('is held against one kind by the schema of that', async () => {
    expect(await mistakes(instance, 'instance.json')).toEqual([]);
    expect((await mistakes(instance, 'zone.json')).length).toBeGreaterThan(0);
  });

  test('completes kinds and fields, and says what a field is', async () => {
    const uri = place();
    const text = withSchema(
      'apiVersion: plumb.dev/v1\nkind: L3Network\nmetadata: {name: lab}\nspec:\n  l2Network: lab\n  \n',
    );
    await editor.marked(uri, text);
    const at = (line: number, character: number) => ({ textDocument: { uri }, position: { line, character } });
    const { items } = await editor.ask<{ items: { label: string }[] }>('textDocument/completion', at(6, 2));
    expect(items.map(({ label }) => label)).toEqual(expect.arrayContaining(['ipv4', 'dns']));
    const kinds = await editor.ask<{ items: { label: string }[] }>('textDocument/completion', at(2, 6));
    expect(kinds.items.map(({ label }) => label)).toEqual(expect.arrayContaining(['Instance', 'Zone', 'ConfigMap']));
    const { contents } = await editor.ask<{ contents: { value: string } }>('textDocument/hover', at(5, 4));
    expect(JSON.stringify(contents)).toMatch(/L2Network|l2Network/);
  });
});
