/** What a broken server, or one that lies, says to an agent: the connection suffers, and neither the host nor what it keeps does. */
import { EventEmitter } from 'node:events';
import { readFileSync } from 'node:fs';
import { realAmbient } from '@plumb/schemas';
import type { PrivateFiles } from '@plumb/schemas/files/private-file.ts';
import { defaultAgentLimits } from '@plumb/schemas/limits/agent.ts';
import { serverFrame, serverFrameReader } from '@plumb/schemas/wire/codec.ts';
import type { AgentFrame, AgentMessage, Command, ServerMessage } from '@plumb/schemas/wire/messages.ts';
import { VERB } from '@plumb/schemas/wire/messages.ts';
import protobuf from 'protobufjs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Driver } from '../drivers/driver.ts';
import { ManualClock } from '../drivers/libvirt/rpc/manual-clock.ts';
import { Identity } from '../identity/identity.ts';
import type { Dialled, FrameCall } from './dial.ts';
import { frameBounds } from './dial.ts';
import { HostSession } from './host-session.ts';
import { AgentStream } from './stream.ts';

const limits = defaultAgentLimits;
const turns = async (count = 20) => {
  for (let n = 0; n < count; n++) await new Promise((resolve) => setImmediate(resolve));
};

/** The server's end of a stream, which speaks in bytes. */
class Server extends EventEmitter {
  readonly heard: AgentMessage[] = [];
  readonly #read = serverFrameReader(frameBounds(limits));

  write({ messages }: AgentFrame): boolean {
    this.heard.push(...messages);
    return true;
  }

  say(...messages: ServerMessage[]): void {
    this.emit('data', { messages: this.#read(serverFrame.encode({ messages })) });
  }

  end(): void {}
  cancel(): void {
    this.emit('end');
  }
}

let files: Map<string, string>;
const inMemory: PrivateFiles = {
  read: async (path) => files.get(path),
  write: async (path, text) => void files.set(path, text),
};
let clock: ManualClock;
let session: HostSession;
let server: Server;
let stream: AgentStream;
let log: string[];
let surveys: number;
let made: string[];
let release: (() => void)[];

const driver: Driver = {
  name: 'simulated',
  facts: async () => ({ cpus: 1, memoryMiB: 1 }),
  troubles: () => [],
  async observe() {
    surveys++;
    return [];
  },
  async ensure({ id }) {
    made.push(id);
    await new Promise<void>((resolve) => release.push(resolve));
  },
  remove: async () => {},
  onChange: () => () => {},
  close: async () => {},
};

beforeEach(async () => {
  [log, made, release, surveys] = [[], [], [], 0];
  clock = new ManualClock();
  clock.advance(Date.UTC(2026, 10, 1));
  await open();
});
afterEach(async () => {
  stream.abort();
  for (let n = 0; n < 200 && release.length > 0; n++) {
    for (const go of release.splice(0)) go();
    await turns(5);
  }
});

/** A host that has joined, and its stream. */
async function open(): Promise<void> {
  const { ids } = realAmbient();
  files = new Map();
  const identity = await Identity.load('/', 'host-1', ids, inMemory);
  await identity.afterJoin();
  const common = { clock, random: { next: () => 0.5 }, log: (line: string) => log.push(line) };
  session = new HostSession({
    ...{ ...common, identity, driver, limits, agentVersion: '1', tunnelAddress: '', registerZone: '' },
  });
  await connect();
}

async function connect(): Promise<void> {
  server = new Server();
  stream = new AgentStream({
    dial: { connect: () => server as unknown as FrameCall } as unknown as Dialled,
    hosts: [session],
    bearer: session,
    ...{ limits, registerZone: '', joinSecret: async () => '', onAttached() {} },
    ...{ clock, random: { next: () => 0.5 }, log: (line) => log.push(line) },
  });
  await turns();
}

const attached = (term = 7, host = 'host-1'): ServerMessage => ({
  host,
  body: 'attached',
  attached: { session: 's', term, liveDigest: '' },
});
const refused = (more: object = {}): ServerMessage => ({
  host: 'host-1',
  body: 'refused',
  refused: { reason: 'Busy', message: 'later', terminal: false, retryAfterMs: 0, ...more },
});
const bridge = '{"name":"n","type":"flat","physicalInterface":"eth0","mtuBytes":1500,"peers":[]}';
const command = (id: string, more: Partial<Command> = {}, spec = bridge): ServerMessage => ({
  host: 'host-1',
  body: 'command',
  command: {
    ...{ id, owner: id, session: 's', term: 7, fence: 1, ...more },
    steps: [{ id: 's', verb: VERB.ensure, resource: { kind: 'bridge', id, owner: 'o', spec } }],
  },
});
const kept = async () => Identity.load('/', 'host-1', realAmbient().ids, inMemory);
const results = () => server.heard.flatMap((message) => (message.body === 'result' ? [message.result] : []));
const isOver = () => Promise.race([stream.ended.then(({ why }) => why), turns(3).then(() => undefined)]);

test('every text and list of what a server says has a bound', () => {
  const path = new URL(import.meta.resolve('@plumb/schemas/wire/agent.proto'));
  const { root } = protobuf.parse(readFileSync(path, 'utf8'));
  const { lists, texts } = frameBounds(limits);
  const missing: string[] = [];
  const walk = (type: protobuf.Type): void => {
    for (const field of type.fieldsArray) {
      const { resolvedType } = field.resolve();
      const name = `${type.name}.${field.name}`;
      if (field.repeated && !(name in lists)) missing.push(name);
      if (field.type === 'string' && !(name in texts)) missing.push(name);
      if (resolvedType && 'fieldsArray' in resolvedType) walk(resolvedType as protobuf.Type);
    }
  };
  walk(root.lookupType('plumb.agent.v1.ServerMessage'));
  expect(missing).toEqual([]);
});

describe('the stream ends with', () => {
  const long = (bytes: number) => 'x'.repeat(bytes + 1);
  test.each<[string, ServerMessage]>([
    ['a name of a session', { ...attached(), attached: { session: long(limits.nameBytes), term: 1 } } as ServerMessage],
    ['a digest', { ...attached(), attached: { session: 's', term: 1, liveDigest: long(1024) } } as ServerMessage],
    ['a reason', refused({ reason: long(limits.nameBytes) })],
    ['a sentence', refused({ message: long(limits.serverTextBytes) })],
    ['an id', command(long(limits.nameBytes))],
    ['an owner', command('c', { owner: long(limits.nameBytes) })],
    ['a declaration', command('c', {}, long(limits.resourceBytes))],
    ['a host', attached(1, long(limits.nameBytes))],
    ['a cancelled command', { host: 'host-1', body: 'cancel', cancel: { command: long(limits.nameBytes) } }],
  ])('%s that is too long', async (_, message) => {
    server.say(message);
    expect(await isOver()).toContain('says more of');
    expect([made, surveys]).toEqual([[], 0]);
  });

  test('too many steps', async () => {
    const one = command('c') as ServerMessage & { body: 'command' };
    const steps = Array.from({ length: limits.stepsPerCommand + 1 }, () => one.command.steps[0]!);
    server.say({ ...one, command: { ...one.command, steps } });
    expect(await isOver()).toContain('says more of');
  });

  test('a host that is let in without having asked, however often', async () => {
    server.say(attached());
    await turns();
    server.say(...Array.from({ length: 1000 }, () => attached()));
    expect(await isOver()).toContain('has not asked');
    expect(surveys).toBe(1);
  });

  test('no word of any host for too long', async () => {
    clock.advance(limits.answerSeconds * 1000 - 1);
    expect(await isOver()).toBeUndefined();
    clock.advance(1);
    expect(await isOver()).toContain('said nothing');
  });
});

test('a host that is let in by one stream after another is looked at as often as the limit says', async () => {
  for (let n = 0; n < 300; n++) {
    server.say(attached());
    await turns(4);
    stream.abort();
    await connect();
    clock.advance(100);
  }
  expect(surveys).toBeLessThanOrEqual(limits.surveysPerMinute);
  server.say(attached());
  await turns();
  clock.advance(60_000);
  await turns();
  expect(server.heard.filter(({ body }) => body === 'snapshot')).toHaveLength(1);
});

test('a thousand refusals are one', async () => {
  server.say(...Array.from({ length: 1000 }, () => refused({ retryAfterMs: 1 })));
  await turns();
  expect(log).toHaveLength(1);
  expect(server.heard.filter(({ body }) => body === 'attach')).toHaveLength(1);
});

test.each([0, 1, 2 ** 32 - 1])('told to ask again after %i ms, a host asks neither at once nor never', async (ms) => {
  const asked = () => server.heard.filter(({ body }) => body === 'attach').length;
  server.say(refused({ retryAfterMs: ms }));
  await turns();
  clock.advance(99);
  await turns();
  expect(asked()).toBe(1);
  for (let minute = 0; minute <= 60; minute++) {
    clock.advance(60_000);
    server.say({ host: '', body: undefined } as ServerMessage);
    await turns(2);
  }
  expect(asked() + Number((await isOver()) !== undefined)).toBeGreaterThan(1);
});

describe.each([
  ['more than a number holds', 2 ** 53],
  ['as high as it goes', Number.MAX_SAFE_INTEGER],
  ['of half of all numbers', 2 ** 63],
  ['of a time that is centuries away', 2 ** 52],
  ['of a time that is years away', (Date.UTC(2031, 0, 1) / 1000) * 2 ** 20],
])('a term %s', (_, term) => {
  test('is not obeyed and not written, and the next server is', async () => {
    server.say(attached(term));
    await turns();
    expect(log.join()).toContain('look after the clocks');
    expect((await kept()).highestTerm).toBe(0);
    expect(surveys).toBe(0);
    await connect();
    server.say(attached());
    await turns();
    server.say(command('c', { term }));
    await turns();
    expect(results()).toMatchObject([{ refused: { reason: 'TermOutOfRange' } }]);
    expect([(await kept()).highestTerm, made]).toEqual([7, []]);
  });
});

test('a term that went down is not obeyed', async () => {
  server.say(attached(9));
  await turns();
  await connect();
  server.say(attached(8));
  await turns();
  server.say(command('c', { term: 8 }));
  await turns();
  expect([(await kept()).highestTerm, made]).toEqual([9, []]);
  expect(log.join()).toContain('obeys term 9');
});

describe('commands', () => {
  beforeEach(async () => {
    server.say(attached());
    await turns();
  });

  test('of one id are one, and more than a host may have are refused', async () => {
    server.say(...Array.from({ length: 5000 }, () => command('same')));
    await turns();
    expect(made).toEqual(['same']);
    expect(new Set(results().map(({ refused }) => refused?.reason))).toEqual(new Set(['TwoCommands']));
    for (let from = 0; from < 5000; from += 1000)
      server.say(...Array.from({ length: 1000 }, (_, n) => command(`c${from + n}`)));
    await turns();
    expect(made).toHaveLength(limits.commandsPerHost);
    expect(await isOver()).toBeUndefined();
  });

  test('that are large are few', async () => {
    const spec = JSON.stringify({ pad: 'x'.repeat(1 << 19) });
    for (let n = 0; n < 300; n++) server.say(command(`c${n}`, { owner: 'o' }, spec));
    await turns();
    const refusals = results().filter(({ refused }) => refused?.reason === 'TooManyCommands');
    expect(refusals.length).toBeGreaterThan(300 - 2 * limits.commandMiBPerHost - 1);
    expect(refusals[0]?.refused?.message).toContain('commandMiBPerHost');
  });

  test('for hosts, sessions, kinds and verbs that are none make nothing', async () => {
    server.say(
      { ...command('a'), host: 'host-2' },
      command('b', { session: 'another' }),
      command('c', { session: '' }),
      { host: '', body: 'cancel', cancel: { command: 'x' } },
      { host: 'host-1', body: 'cancel', cancel: { command: 'never' } },
    );
    const odd = command('d') as ServerMessage & { body: 'command' };
    for (const change of [{ verb: 99 }, { verb: 0 }, { resource: null }])
      server.say({
        ...odd,
        command: { ...odd.command, id: `d${JSON.stringify(change)}`, steps: [{ ...odd.command.steps[0]!, ...change }] },
      });
    for (const resource of [{ kind: '__proto__' }, { id: '../x' }, { owner: '' }, { spec: 'null' }, { spec: '{}' }])
      server.say({
        ...odd,
        command: {
          ...odd.command,
          id: `e${JSON.stringify(resource)}`,
          steps: [{ ...odd.command.steps[0]!, resource: { ...odd.command.steps[0]!.resource!, ...resource } }],
        },
      });
    await turns();
    expect(made).toEqual([]);
    expect(results().filter(({ steps }) => steps.some(({ ok }) => ok))).toEqual([]);
    expect(results()).toHaveLength(10);
  });
});
