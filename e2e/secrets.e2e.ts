/**
 * Every secret field of every kind, sent through every road by which something comes out of Plumb, in good objects and in wrong
 * ones. The fields come from the schemas: one that is new is tried by itself.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { seededRandom } from '@plumb/agent/drivers/simulated/seeded-random.ts';
import { SimulatedHost } from '@plumb/agent/drivers/simulated/simulated-host.ts';
import { type RunningAgent, runAgent } from '@plumb/agent/main.ts';
import { runCli } from '@plumb/cli/main.ts';
import { clientFor, findAccess } from '@plumb/client/access.ts';
import type { Client } from '@plumb/client/client.ts';
import { Core } from '@plumb/provider/src/testing/core.ts';
import { type ControlPlane, serve } from '@plumb/reconciler/main.ts';
import { kindByName, kinds, realAmbient } from '@plumb/schemas';
import { terraformKind } from '@plumb/schemas/project/terraform.ts';
import {
  objectPlaces,
  type Sample,
  type SecretPlace,
  sampleHolding,
  sampleWith,
  secretPlaces,
  withAt,
} from '@plumb/schemas/project/testing/secret-places.ts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

/** No road may show any part of it. */
const SECRET = 'hush-hush-hush';
const PART = /hush/;

let folder: string;
let plane: ControlPlane;
let agent: RunningAgent;
let client: Client;
const log: string[] = [];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'plumb-secrets-'));
  const ready = Promise.withResolvers<void>();
  plane = await serve({
    ...{ dataDir: join(folder, 'server'), listen: { host: '127.0.0.1', port: 0 } },
    log: (level, message) => log.push(`${level} ${message}`),
    onReady: ready.resolve,
    onFatal: (error) => log.push(`fatal ${error.message}`),
  });
  await ready.promise;
  client = clientFor(await findAccess(plane.kubeconfigFile, {}), realAmbient());
  const { clock } = realAmbient();
  const driver = new SimulatedHost({ clock, random: seededRandom(1), cpus: 8, memoryMiB: 8192, failureRate: 0.3 });
  agent = await runAgent({
    ...{ server: plane.url, tokenFile: plane.joinTokenFile!, dataDir: join(folder, 'agent'), registerZone: 'home' },
    hosts: [{ name: 'host-1', driver, tunnelAddress: '127.0.0.1' }],
    ambient: realAmbient(),
    log: (line) => log.push(line),
  });
  for (const one of estate()) await client.send('POST', collection(one), { body: one });
});

afterAll(async () => {
  client?.close();
  await agent?.stop();
  await plane?.close();
  rmSync(folder, { recursive: true, force: true });
});

const meta = (name: string) => ({ name });
/** What instances refer to. */
const estate = (): Sample[] => [
  { apiVersion: 'plumb.dev/v1', kind: 'Zone', metadata: meta('home'), spec: {} },
  { apiVersion: 'plumb.dev/v1', kind: 'InstanceOffering', metadata: meta('small'), spec: { cpus: 1, memoryMiB: 64 } },
  {
    apiVersion: 'plumb.dev/v1',
    kind: 'L2Network',
    metadata: meta('lab'),
    spec: { zone: 'home', type: 'vxlan', vni: 7 },
  },
  {
    ...{ apiVersion: 'plumb.dev/v1', kind: 'L3Network', metadata: meta('lab') },
    spec: {
      l2Network: 'lab',
      ipv4: { cidr: '10.1.0.0/24', gateway: '10.1.0.1', ranges: [{ start: '10.1.0.9', end: '10.1.0.99' }] },
    },
  },
];

function collection({ kind }: Sample): string {
  const { plural, scope } = kindByName(kind)!;
  return `/apis/plumb.dev/v1/${scope === 'Namespaced' ? 'namespaces/default/' : ''}${plural}`;
}

/** What a sample needs to be carried out as far as it goes. */
function fitted(sample: Sample): Sample {
  if (sample.kind !== 'Instance') return sample;
  return {
    ...sample,
    spec: {
      ...sample.spec,
      zone: 'home',
      offering: 'small',
      image: 'image',
      interfaces: [{ name: 'eth0', l3Network: 'lab' }],
    },
  };
}

async function plumb(args: string[], input = ''): Promise<string> {
  let said = '';
  const say = (text: string) => {
    said += text;
  };
  await runCli(args, {
    ...{
      env: { KUBECONFIG: plane.kubeconfigFile },
      clock: realAmbient().clock,
      out: say,
      err: say,
      interactive: false,
    },
    stdin: async () => Buffer.from(input),
    interruptible: () => new AbortController().signal,
    line: async () => undefined,
  });
  return said;
}

const places = secretPlaces().filter(({ path }) => path[0] === 'spec');
const holders = objectPlaces();
const nameOf = (place: SecretPlace) => place.kind.kind.toLowerCase();
const good = (place: SecretPlace, secret = SECRET) => fitted(sampleWith(place, nameOf(place), secret));

/** All that may be sent in the place of a value, and of what it is in. */
const wrongs: ((value: unknown) => unknown)[] = [
  () => SECRET,
  () => [SECRET],
  () => ({ key: SECRET }),
  (value) => [value],
  (value) => JSON.stringify(value),
];

/** Objects by every writing verb; what is answered to those that were refused, and the warnings of those that were not. */
async function answersTo(object: Sample, wrong: Sample): Promise<string[]> {
  const one = `${collection(object)}/${object.metadata.name}`;
  const pointer = [
    { op: 'test', path: '/spec', value: wrong },
    { op: 'replace', path: '/spec', value: wrong?.spec ?? wrong },
  ];
  const requests: [string, string, unknown, string?][] = [
    ['POST', collection(object), wrong],
    ['POST', `${collection(object)}?fieldValidation=Warn&dryRun=All`, wrong],
    ['PUT', one, wrong],
    ['PATCH', one, wrong, 'application/merge-patch+json'],
    ['PATCH', one, pointer, 'application/json-patch+json'],
    ['PATCH', one, pointer.slice(1), 'application/json-patch+json'],
    ['PATCH', `${one}/status`, { status: wrong }, 'application/merge-patch+json'],
    ['DELETE', `${one}x`, wrong],
    ['POST', '/apis/plumb.dev/v1/planreviews', { spec: { objects: [wrong] } }],
    ['POST', '/apis/plumb.dev/v1/planreviews', { spec: wrong }],
    ['POST', '/apis/plumb.dev/v1/cascades', wrong],
    ['POST', '/apis/plumb.dev/v1/driftscans', wrong],
    ['POST', '/apis/authorization.k8s.io/v1/selfsubjectaccessreviews', JSON.stringify(wrong)],
  ];
  const said: string[] = [];
  for (const [method, path, body, type] of requests) {
    const answer = await client.ask(method, path, { body, ...(type ? { type } : {}) });
    if (answer.status >= 300) said.push(`${method} ${path}: ${JSON.stringify(answer.body)}`);
  }
  return said;
}

describe.each(places.map((place) => [`${place.kind.kind} ${place.path.join('.')}`, place] as const))(
  '%s',
  (_, place) => {
    test('is in no refusal, whatever it and what it is in are sent as', async () => {
      const sample = good(place);
      await client.ask('POST', collection(sample), { body: sample });
      const all = [sample, ...holders.map((holder) => sampleHolding(holder, 'never', sample))];
      let refused = 0;
      for (const object of all) {
        const path = object === sample ? place.path : ['spec', 'objects', 0, ...place.path];
        for (let depth = path.length; depth >= 0; depth--)
          for (const wrong of wrongs) {
            const said = await answersTo(object, withAt(object, path.slice(0, depth), wrong));
            refused += said.length;
            for (const answer of said) expect(answer).not.toMatch(PART);
          }
      }
      expect(refused).toBeGreaterThan(100);
    });

    test('is in nothing that the command shows of it', async () => {
      const sample = good(place);
      const text = (object: Sample) => JSON.stringify(object);
      const annotated = {
        ...sample,
        metadata: {
          ...sample.metadata,
          annotations: {
            'kubectl.kubernetes.io/last-applied-configuration': text(sample),
            'x.example/copy': text(sample),
            note: 'seen',
          },
        },
      };
      await plumb(['apply', '-f', '-', '--no-wait'], text(annotated));
      const held = holders.map((holder) =>
        sampleHolding(holder, 'set', { ...annotated, metadata: { ...annotated.metadata } }),
      );
      const other = good(place, `${SECRET}-again`);
      const shown = [
        await plumb(['plan', '-f', '-'], text(other)),
        await plumb(['diff', '-f', '-'], text(other)),
        await plumb(
          ['diff', '-f', '-'],
          text({ ...other, metadata: { ...other.metadata, name: 'another', annotations: { copy: text(other) } } }),
        ),
        await plumb(['describe', sample.kind, nameOf(place)]),
        await plumb(['get', sample.kind, '-o', 'wide']),
        await plumb(['apply', '-f', '-', '--no-wait'], text(withAt(sample, place.path, () => [SECRET]))),
      ];
      for (const holder of held) {
        shown.push(await plumb(['plan', '-f', '-'], text(holder)), await plumb(['diff', '-f', '-'], text(holder)));
        await client.ask('POST', collection(holder), { body: holder });
        shown.push(
          await plumb(['describe', holder.kind, 'set']),
          await plumb(['get', holder.kind, '-o', 'wide']),
          await plumb(
            ['diff', '-f', '-'],
            text(withAt(holder, ['spec', 'objects', 0, ...place.path], () => `${SECRET}-2`)),
          ),
          await plumb(
            ['apply', '-f', '-', '--no-wait'],
            text(withAt(holder, ['spec', 'objects', 0, ...place.path], () => `${SECRET}-3`)),
          ),
        );
        await client.ask('DELETE', `${collection(holder)}/set`);
      }
      for (const said of shown) {
        expect(said).not.toMatch(PART);
        expect(said).not.toBe('');
      }
      expect(shown[3]).toContain('seen');
    });
  },
);

test('none is in what the server tells by itself: events, flows, plans, drift, metrics, what was set aside, conditions', async () => {
  // Some steps fail on purpose: what failed is told in many places.
  await plumb(['wait', 'instance/instance', '--timeout', '1s']);
  const told = await Promise.all(
    [
      '/api/v1/events',
      '/apis/plumb.dev/v1/flows',
      '/apis/plumb.dev/v1/poisoned',
      '/apis/plumb.dev/v1/pendinghosts',
      '/apis/plumb.dev/v1/authority',
    ].map(async (path) => JSON.stringify((await client.ask('GET', path)).body)),
  );
  told.push(await plumb(['flows']), await plumb(['drift']), await plumb(['get', 'events', '-A', '-o', 'yaml']));
  for (const kind of kinds) {
    const { items } = await client.send('GET', `/apis/plumb.dev/v1/${kind.plural}`);
    told.push(...items.map(({ status, metadata }: Sample) => JSON.stringify({ status, labels: metadata.labels })));
  }
  told.push((await client.ask('GET', '/metrics')).body ?? 'none');
  for (const text of told) expect(text).not.toMatch(PART);
  expect(told.join()).toContain('Instance');
});

test('none is in what the provider tells Terraform, and in its log', async () => {
  const core = await Core.start({ KUBECONFIG: plane.kubeconfigFile });
  try {
    const terraform = await core.configured({});
    const said: string[] = [];
    for (const place of places.filter(({ kind }) => kind.terraform !== false)) {
      const { typeName, resource } = terraformKind(place.kind);
      const attribute = resource.find(({ field }) => field === place.path[1])!;
      const { spec } = good(place);
      const values = (value: unknown) => ({
        ...Object.fromEntries(
          resource.filter(({ field }) => typeof spec[field] === 'string').map(({ name, field }) => [name, spec[field]]),
        ),
        name: 'terraform',
        [attribute.name]: value,
      });
      for (const value of [spec[attribute.field], `${SECRET}\u0000`, SECRET.repeat(10_000), '', null]) {
        const config = values(value) as never;
        for (const step of ['validate', 'apply'] as const) {
          const { errors } =
            step === 'validate'
              ? await terraform.validate(typeName, config)
              : await terraform.apply(typeName, config, null);
          said.push(...errors);
        }
      }
    }
    expect(said.length).toBeGreaterThan(5);
    for (const text of [...said, ...core.logs]) expect(text).not.toMatch(PART);
  } finally {
    core.close();
  }
}, 60_000);

test('none is in a log, nor is any token', async () => {
  expect(log.length).toBeGreaterThan(10);
  const { token } = await findAccess(plane.kubeconfigFile, {});
  const join = readFileSync(plane.joinTokenFile!, 'utf8').split('.')[0]!;
  for (const line of log) {
    expect(line).not.toMatch(PART);
    expect(line).not.toContain(token!);
    expect(line).not.toContain(join);
  }
});
