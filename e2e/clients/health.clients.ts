/**
 * What Flux (kstatus) and Argo CD (examples/argocd/health.lua) make of objects, in every state that a real server brings them to: the same
 * as Plumb's own clients (client/src/settled.ts).
 */
import { execFile, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { settled } from '@plumb/client/settled.ts';
import { kinds, type PlumbObject } from '@plumb/schemas';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Estate } from '../harness/estate.ts';
import { aroundInstances, HOST } from '../harness/manifests.ts';
import { estateSession } from '../harness/session.ts';

const run = promisify(execFile);
const GO = { ...process.env, GOTOOLCHAIN: 'go1.27.3' };
const EXAMPLE = join(import.meta.dirname, '../../examples/argocd');

const session = estateSession({ name: 'health', driver: 'simulated' });
let estate: Estate;
let env: NodeJS.ProcessEnv;
const seen: PlumbObject[] = [];
const ends: (() => void)[] = [];

const kubectl = (input: string, ...args: string[]) =>
  new Promise<void>((resolve, reject) => {
    const child = execFile('kubectl', args, { env }, (error) => (error ? reject(error) : resolve()));
    child.stdin?.end(input);
  });
const apply = (text: string) => kubectl(text, 'apply', '-f', '-');

const instance = (name: string, offering = 'small', more = '') => `
---
apiVersion: plumb.dev/v1
kind: Instance
metadata: {name: ${name}, namespace: default${more}}
spec: {zone: home, offering: ${offering}, image: tiny, interfaces: [{name: eth0, l3Network: lab}]}
`;

const base = (image: Estate['image']) => `${aroundInstances(image)}---
apiVersion: plumb.dev/v1
kind: InstanceOffering
metadata: {name: huge}
spec: {cpus: 1, memoryMiB: 1048576}
---
apiVersion: plumb.dev/v1
kind: Image
metadata: {name: wrong}
spec: {url: "file://${image.path}", sha256: "${'f'.repeat(64)}", format: ${image.format}}
---${HOST}---
apiVersion: plumb.dev/v1
kind: GitSource
metadata: {name: nowhere, namespace: default}
spec: {url: "https://git.invalid/estate.git"}
`;

const changeSet = (name: string, offering: string) => `
---
apiVersion: plumb.dev/v1
kind: ChangeSet
metadata: {name: ${name}, namespace: default}
spec:
  objects:
  - apiVersion: plumb.dev/v1
    kind: Instance
    metadata: {name: of-${name}}
    spec: {zone: home, offering: ${offering}, image: tiny, interfaces: [{name: eth0, l3Network: lab}]}
`;

beforeAll(async () => {
  estate = session.estate();
  env = { PATH: process.env.PATH, HOME: estate.folder, KUBECONFIG: estate.kubeconfig };
  for (const { plural } of kinds) {
    const child = spawn('kubectl', ['get', '--raw', `/apis/plumb.dev/v1/${plural}?watch=true`], { env });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (part: string) => {
      const lines = (rest + part).split('\n');
      rest = lines.pop()!;
      for (const line of lines) {
        const { type, object } = JSON.parse(line);
        if (type === 'ADDED' || type === 'MODIFIED') seen.push(object);
      }
    });
    ends.push(() => child.kill());
  }
});
afterAll(() => {
  for (const end of ends) end();
});

/** Waits until an object was seen of which it holds. */
const until = (what: string, holds: (object: PlumbObject) => boolean) =>
  expect.poll(() => seen.some(holds), { timeout: 120_000, message: what }).toBe(true);
const is = (kind: string, name: string) => (object: PlumbObject) =>
  object.kind === kind && object.metadata.name === name;
const stateOf = (object: PlumbObject) => settled(object).state;

test('objects are made, wait, fail, change and go', async () => {
  await apply(base(estate.image) + instance('web-0'));
  await until('waits', (one) => is('Instance', 'web-0')(one) && one.status !== undefined && stateOf(one) === 'waiting');
  await apply('apiVersion: plumb.dev/v1\nkind: Zone\nmetadata: {name: home}\n');
  await until('ready', (one) => is('Instance', 'web-0')(one) && stateOf(one) === 'ready');
  await until('wrong image', (one) => is('Image', 'wrong')(one) && stateOf(one) === 'failed');
  await apply(instance('big', 'huge') + instance('kept', 'small', ', finalizers: [example.com/kept]'));
  await until('too big', (one) => is('Instance', 'big')(one) && stateOf(one) === 'failed');
  await apply(changeSet('good', 'small') + changeSet('bad', 'huge'));
  await until('change set', (one) => is('ChangeSet', 'good')(one) && stateOf(one) === 'ready');
  await until('returned', (one) => is('ChangeSet', 'bad')(one) && stateOf(one) === 'failed');
  await kubectl('', 'patch', 'instance', 'web-0', '--type=merge', '-p', '{"spec":{"power":"Stopped"}}');
  await until(
    'stopped',
    (one) => is('Instance', 'web-0')(one) && one.metadata.generation > 1 && stateOf(one) === 'ready',
  );
  await until('kept', (one) => is('Instance', 'kept')(one) && stateOf(one) === 'ready');
  await kubectl('', 'delete', 'instance', 'kept', '--wait=false');
  await kubectl('', 'delete', 'zone', 'home', '--wait=false');
  await until('nothing left of it', (one) => is('Instance', 'kept')(one) && readyReason(one) === 'Deleted');
  await until('blocked', (one) => is('Zone', 'home')(one) && readyReason(one) === 'DeletionBlocked');
  await until('git', (one) => is('GitSource', 'nowhere')(one) && one.status !== undefined);
});

function readyReason({ status }: PlumbObject): string | undefined {
  return status?.conditions?.find(({ type }) => type === 'Ready')?.reason;
}

test('kstatus and health.lua say of each what Plumb says', async () => {
  const program = join(estate.folder, 'health');
  await run('go', ['build', '-o', program, './health'], { cwd: join(import.meta.dirname, 'gitops'), env: GO });
  // Of a new object nothing is said until it is looked at: kstatus cannot know that (Flux), health.lua does.
  const objects = seen.filter(({ status }) => (status?.conditions ?? []).length > 0);
  await writeFile(join(estate.folder, 'seen.jsonl'), objects.map((one) => JSON.stringify(one)).join('\n'));
  const { stdout } = await run(
    'sh',
    ['-c', '"$0" "$1" < "$2"', program, join(EXAMPLE, 'health.lua'), join(estate.folder, 'seen.jsonl')],
    {
      maxBuffer: 64 << 20,
    },
  );
  const answers = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(answers).toHaveLength(objects.length);
  const expected = {
    ready: ['Current', 'Healthy'],
    failed: ['Failed', 'Degraded'],
    waiting: ['InProgress', 'Progressing'],
  };
  const states = new Set<string>();
  for (const [at, object] of objects.entries()) {
    const { kind, metadata, status } = object;
    const { kstatus, health, message } = answers[at];
    const state = metadata.deletionTimestamp ? 'going' : stateOf(object);
    states.add(`${kind} ${state}`);
    const both = metadata.deletionTimestamp ? ['Terminating', 'Progressing'] : expected[stateOf(object)];
    expect([kind, metadata.name, JSON.stringify(status?.conditions), kstatus, health]).toEqual([
      kind,
      metadata.name,
      JSON.stringify(status?.conditions),
      ...both,
    ]);
    const stalled = status?.conditions?.find(({ type }) => type === 'Stalled');
    if (state === 'failed') expect(message).toBe(stalled?.message);
  }
  for (const one of ['Instance', 'ChangeSet'])
    for (const state of ['ready', 'failed', 'waiting']) expect(states).toContain(`${one} ${state}`);
  for (const one of ['Zone ready', 'Zone going', 'Instance going', 'Image failed', 'Host ready', 'L3Network waiting'])
    expect(states).toContain(one);
});

test('the ConfigMap for Argo CD holds the script as it was tried', async () => {
  const script = await readFile(join(EXAMPLE, 'health.lua'), 'utf8');
  const indented = script.trimEnd().replaceAll(/^(?=.)/gm, '        ');
  expect(await readFile(join(EXAMPLE, 'argocd-cm.yaml'), 'utf8')).toContain(`\n      health.lua: |\n${indented}\n`);
});
