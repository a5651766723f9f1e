import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type HostResource, realAmbient, retryable } from '@plumb/schemas';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import type { Command, CommandProgress, CommandResult } from '@plumb/schemas/wire/messages.ts';
import { VERB } from '@plumb/schemas/wire/messages.ts';
import { resourceToWire } from '@plumb/schemas/wire/resource-codec.ts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Attention, Driver } from '../drivers/driver.ts';
import { Identity } from '../identity/identity.ts';
import { Commands } from './commands.ts';
import { MemoryFences } from './fences.ts';

let folder: string;
let identity: Identity;
let commands: Commands;
let results: CommandResult[];
let told: CommandProgress[];
let now: number;
let begun: string[];
let attentions: Map<string, Attention>;
let release: Map<string, () => void>;
let held: Set<string>;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plumb-commands-'));
  identity = await Identity.load(folder, 'host-1', realAmbient().ids);
  await identity.raiseTerm(5);
  results = [];
  told = [];
  now = 0;
  begun = [];
  attentions = new Map();
  held = new Set();
  release = new Map();
  commands = new Commands({
    ...{ driver, identity, fences: new MemoryFences() },
    limits: { ...defaultAgentLimits, commandsPerHost: 100, commandMiBPerHost: 16 },
    report: (result) => results.push(result),
    progress: (progress) => told.push(progress),
    clock: { now: () => now, after: () => () => {} },
  });
});
afterEach(async () => {
  for (const open of release.values()) open();
  await commands.idle();
  await rm(folder, { recursive: true });
});

/** Notes what it is asked, and holds on to the resources in `held` until they are released. */
const driver: Driver = {
  name: 'simulated',
  facts: async () => ({ cpus: 1, memoryMiB: 1 }),
  troubles: () => [],
  observe: async () => [],
  async ensure(resource, attention = {}) {
    begun.push(`ensure ${resource.id}`);
    attentions.set(resource.id, attention);
    if (resource.kind === 'image') await fetchOf(attention);
    if (resource.id.startsWith('bad')) throw new Error('it broke');
    if (held.has(resource.id)) await new Promise<void>((resolve) => release.set(resource.id, resolve));
  },
  async remove(resource) {
    begun.push(`remove ${resource.id}`);
  },
  onChange: () => () => {},
  close: async () => {},
};

/** A fetch that brings nothing, until it is given up. */
function fetchOf({ signal }: Attention): Promise<void> {
  return new Promise((_resolve, reject) => {
    const giveUp = () => reject(retryable('Aborted', 'the fetch was ended'));
    signal?.addEventListener('abort', giveUp);
    if (signal?.aborted) giveUp();
  });
}

const image = (id: string, url = 'https://example.org/a'): HostResource<'image'> => ({
  kind: 'image',
  id,
  owner: 'an-image',
  spec: { url, sha256: id, format: 'raw', maxBytes: 1 },
});

const making = (...resources: HostResource[]): Partial<Command> => ({
  steps: resources.map((resource) => ({
    id: `make ${resource.id}`,
    verb: VERB.ensure,
    resource: resourceToWire(resource),
  })),
});

const bridge = (id: string): HostResource => ({
  kind: 'bridge',
  id,
  owner: id,
  spec: { name: id, type: 'flat', physicalInterface: 'eth0', mtuBytes: 1500, peers: [] },
});

function command(id: string, resources: string[], more: Partial<Command> = {}): Command {
  const steps = resources.map((resource) => ({
    id: `make ${resource}`,
    verb: VERB.ensure,
    resource: resourceToWire(bridge(resource)),
  }));
  return { id, owner: 'o', session: 's', term: 5, fence: 10, steps, ...more };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('what is not obeyed', () => {
  test.each([
    ['LowerTerm', { term: 4 }, 's'],
    ['ClosedSession', { session: 'earlier' }, 's'],
    ['ClosedSession', {}, undefined],
  ])('%s', async (reason, more, session) => {
    commands.accept(command('1', ['a'], more), session);
    expect(results).toEqual([{ command: '1', steps: [], refused: expect.objectContaining({ reason }) }]);
    expect(begun).toEqual([]);
    expect(commands.running).toEqual([]);
  });

  test('LowerFence, after a later turn of the same flow', async () => {
    commands.accept(command('1', ['a'], { fence: 11 }), 's');
    commands.accept(command('2', ['b']), 's');
    await commands.idle();
    expect(results.map((result) => [result.command, result.refused?.reason])).toEqual([
      ['2', 'LowerFence'],
      ['1', undefined],
    ]);
    expect(begun).toEqual(['ensure a']);
  });

  test('a term that cannot be remembered', async () => {
    await rm(join(folder, 'hosts'), { recursive: true });
    await writeFile(join(folder, 'hosts'), 'in the way');
    commands.accept(command('1', ['a'], { term: 6 }), 's');
    await commands.idle();
    expect(results).toEqual([{ command: '1', steps: [], refused: expect.objectContaining({ reason: 'TermNotKept' }) }]);
    expect(begun).toEqual([]);
  });
});

describe('order', () => {
  test('commands of one owner wait for each other, those of another do not', async () => {
    held.add('slow');
    commands.accept(command('1', ['slow', 'a']), 's');
    commands.accept(command('2', ['b']), 's');
    commands.accept(command('3', ['c'], { owner: 'other' }), 's');
    await settled();
    expect(begun).toEqual(['ensure slow', 'ensure c']);
    expect(commands.running).toEqual(['1', '2']);
    release.get('slow')?.();
    await commands.idle();
    expect(begun).toEqual(['ensure slow', 'ensure c', 'ensure a', 'ensure b']);
    expect(results.map(({ command: id }) => id)).toEqual(['3', '1', '2']);
    expect(commands.running).toEqual([]);
  });

  test('a later turn of a flow stops an earlier one between two steps', async () => {
    held.add('slow');
    commands.accept(command('1', ['slow', 'a']), 's');
    await settled();
    commands.accept(command('2', ['b'], { fence: 11 }), 's');
    release.get('slow')?.();
    await commands.idle();
    expect(begun).toEqual(['ensure slow', 'ensure b']);
    expect(results[0]?.steps.map(({ step, ok, reason, terminal }) => [step, ok, reason, terminal])).toEqual([
      ['make slow', true, '', false],
      ['make a', false, 'Superseded', false],
    ]);
    expect(results[1]?.steps).toEqual([expect.objectContaining({ step: 'make b', ok: true })]);
  });
});

describe('steps', () => {
  test('the first failure ends the command', async () => {
    commands.accept(command('1', ['a', 'bad', 'c']), 's');
    await commands.idle();
    expect(begun).toEqual(['ensure a', 'ensure bad']);
    expect(results[0]?.steps[1]).toEqual({
      step: 'make bad',
      ok: false,
      reason: 'Internal',
      message: 'step make bad: it broke',
      terminal: false,
    });
  });

  test.each([
    [
      'a kind that is not known',
      { id: 's', verb: VERB.ensure, resource: { ...resourceToWire(bridge('a')), kind: 'teapot' } },
      'UnsupportedResource',
    ],
    ['no resource', { id: 's', verb: VERB.remove, resource: null }, 'UnsupportedResource'],
    ['a verb that is not known', { id: 's', verb: 9, resource: resourceToWire(bridge('a')) }, 'UnsupportedStep'],
  ])('%s fails for good', async (_, step, reason) => {
    commands.accept(command('1', [], { steps: [step] }), 's');
    await commands.idle();
    expect(results[0]?.steps).toEqual([expect.objectContaining({ step: 's', ok: false, reason, terminal: true })]);
    expect(begun).toEqual([]);
  });

  test('a higher term is on the disk before a step is begun', async () => {
    commands.accept(command('1', ['a'], { term: 9 }), 's');
    expect(begun).toEqual([]);
    await commands.idle();
    expect(begun).toEqual(['ensure a']);
    expect((await Identity.load(folder, 'host-1', realAmbient().ids)).highestTerm).toBe(9);
  });
});

describe('a fetch that a command waits for', () => {
  const outcomes = () =>
    results.map(({ command, steps }) => [command, ...steps.map(({ ok, reason, terminal }) => [ok, reason, terminal])]);

  test('ends when the control plane says that nobody waits, and nothing after it is begun', async () => {
    commands.accept(command('1', [], making(image('i'), bridge('b'))), 's');
    await settled();
    commands.cancel('1');
    await commands.idle();
    expect(outcomes()).toEqual([['1', [false, 'Aborted', false]]]);
    expect(begun).toEqual(['ensure i']);
  });

  test('is not begun by a command that was cancelled while it waited for its turn', async () => {
    held.add('slow');
    commands.accept(command('1', ['slow']), 's');
    commands.accept(command('2', [], making(image('i'))), 's');
    commands.cancel('2');
    await settled();
    release.get('slow')?.();
    await commands.idle();
    expect(attentions.get('i')?.signal?.aborted).toBe(true);
    expect(outcomes()).toEqual([
      ['1', [true, '', false]],
      ['2', [false, 'Aborted', false]],
    ]);
  });

  test.each<[string, Partial<Command>]>([
    ['a removal', { steps: [{ id: 'r', verb: VERB.remove, resource: resourceToWire(bridge('x')) }] }],
    ['an image from elsewhere', making(image('j'))],
    ['the same image from elsewhere', making(image('i', 'https://example.org/b'))],
  ])('ends when %s of the same owner would wait behind it', async (_what, later) => {
    commands.accept(command('1', [], making(image('i'))), 's');
    await settled();
    commands.accept(command('2', [], { ...later, fence: 11 }), 's');
    await settled();
    expect(outcomes()[0]).toEqual(['1', [false, 'Aborted', false]]);
    commands.cancel('2');
    await commands.idle();
  });

  test('goes on when a later command waits for the same, and when another owner commands', async () => {
    commands.accept(command('1', [], making(image('i'))), 's');
    await settled();
    commands.accept(command('2', [], { ...making(bridge('b'), image('i')), fence: 11 }), 's');
    commands.accept(command('3', ['c'], { owner: 'other' }), 's');
    await settled();
    expect(outcomes()).toEqual([['3', [true, '', false]]]);
    for (const id of ['1', '2', 'unknown']) commands.cancel(id);
    await commands.idle();
  });

  test('ends for all who waited for it when the last of them gives up, and not before', async () => {
    commands.accept(command('1', [], making(image('i'))), 's');
    commands.accept(command('2', [], { ...making(image('i')), fence: 11 }), 's');
    commands.accept(command('3', [], { ...making(image('i')), fence: 12 }), 's');
    commands.accept(command('4', [], { ...making(image('i')), owner: 'other' }), 's');
    await settled();
    commands.cancel('2');
    await settled();
    expect(results.map(({ command }) => command)).toEqual(['1', '2']);
    commands.cancel('3');
    await settled();
    expect(results.map(({ command }) => command)).toEqual(['1', '2', '3']);
    commands.cancel('4');
    await commands.idle();
  });

  test('tells how far it is, once a second', async () => {
    commands.accept(command('1', [], making(image('i'))), 's');
    await settled();
    const onProgress = attentions.get('i')!.onProgress!;
    for (const [at, bytes] of [
      [0, 1],
      [500, 2],
      [999, 3],
      [1000, 4],
      [1500, 5],
      [2600, 6],
      [100, 7],
    ] as const) {
      now = at;
      onProgress({ bytes, ofBytes: bytes > 3 ? 100 : undefined });
    }
    // The last one: the clock was put back, and nobody is to wait until it has caught up.
    expect(told).toEqual([
      { command: '1', bytes: 1, ofBytes: 0 },
      { command: '1', bytes: 4, ofBytes: 100 },
      { command: '1', bytes: 6, ofBytes: 100 },
      { command: '1', bytes: 7, ofBytes: 100 },
    ]);
    commands.cancel('1');
    await commands.idle();
  });
});

describe('what the programs and libraries of a driver say', () => {
  const userData = '#cloud-config\npassword: hunter2hunter2\n';
  const url = 'https://me:s3cr3tpass@example.org/i?token=t0k3nt0k3n';
  const seed: HostResource = {
    ...{ kind: 'seed', id: 'bad.seed', owner: 'o' },
    spec: { instanceId: 'o', hostname: 'web', sshKeys: [], userData },
  };
  const fetched: HostResource = { ...image('bad'), spec: { url, sha256: 'bad', format: 'raw', maxBytes: 1 } };
  const said: [string, string][] = [
    ['libvirt', `XML error: unexpected <userData>${userData}</userData>`],
    ['qemu-img', `qemu-img: Could not open '${url}': Unauthorized`],
    ['nft', `Error: syntax error, unexpected string\n${userData}\n^^^^^`],
    ['dnsmasq', `dnsmasq: bad option at line 3: password: hunter2hunter2`],
    ['genisoimage', `genisoimage: Unable to write "password: hunter2hunter2"`],
    ['the fetcher', `getaddrinfo ENOTFOUND me:s3cr3tpass@example.org with token=t0k3nt0k3n`],
    ['Node', `Invalid URL: ${url}`],
  ];
  const leaks = ['hunter2hunter2', 's3cr3tpass', 't0k3nt0k3n'];

  test.each(said)('%s, goes to no condition, event or log with a secret in it, nor does a note', async (_, text) => {
    for (const [resource, how] of [
      [seed, 'throws'],
      [fetched, 'throws'],
      [seed, 'notes'],
      [fetched, 'notes'],
    ] as const) {
      const loud: Driver = {
        ...driver,
        async ensure(_resource, attention) {
          attention?.onNote?.(text);
          if (how === 'throws') throw new Error(text);
        },
      };
      const own = new Commands({
        ...{ driver: loud, identity, fences: new MemoryFences(), limits: defaultAgentLimits },
        report: (result) => results.push(result),
        ...{ progress: () => {}, clock: { now: () => now, after: () => () => {} } },
      });
      own.accept(command('c', [], making(resource)), 's');
      await own.idle();
      const [step] = results.at(-1)!.steps;
      expect(step!.ok).toBe(how === 'notes');
      expect(step!.message.length).toBeGreaterThan(10);
      const given = resource === seed ? leaks.slice(0, 1) : leaks.slice(1);
      for (const leak of given) expect(step!.message).not.toContain(leak);
    }
  });
});
