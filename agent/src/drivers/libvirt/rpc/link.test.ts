import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { answerGreeting, errorPayload, FakeLibvirtd } from './fake-libvirtd.ts';
import { LibvirtLink } from './link.ts';
import { ManualClock } from './manual-clock.ts';
import { KEEPALIVE_PROGRAM } from './packet.ts';
import { DOMAIN_EVENT_LIFECYCLE } from './procedures.ts';
import { LibvirtError } from './remote-error.ts';
import { XdrWriter } from './xdr.ts';

const UUID = '1a57a9ce-0000-4000-8000-00000000002a';
const LOOKUP_BY_NAME = 23;
const DEFINE = 350;

let fake: FakeLibvirtd;
let clock: ManualClock;
let link: LibvirtLink | undefined;
let heard: string[];

beforeEach(async () => {
  fake = await FakeLibvirtd.start();
  clock = new ManualClock();
  heard = [];
});
afterEach(async () => {
  link?.close();
  link = undefined;
  await fake.stop();
});

async function open(): Promise<LibvirtLink> {
  link = await LibvirtLink.open({
    socket: fake.path,
    clock,
    log: () => {},
    listener: {
      happened: ({ name, uuid, panicked }) => heard.push(`${name} ${uuid}${panicked ? ' panicked' : ''}`),
      away: (why) => heard.push(`away: ${why}`),
      restored: () => heard.push('restored'),
    },
  });
  return link;
}

const domain = (name: string) =>
  new XdrWriter()
    .string(name)
    .fixed(Buffer.from(UUID.replaceAll('-', ''), 'hex'))
    .int(3)
    .finish();

test('answers belong to their calls, in whatever order they come', async () => {
  const { procedures } = await open();
  const held: (() => void)[] = [];
  fake.handler = ({ payload }, reply) => held.push(() => reply(domain(payload.toString('utf8', 4, 5))));
  const calls = ['a', 'b', 'c'].map((name) => procedures.lookupByName(name));
  await vi.waitFor(() => expect(held.length).toBe(3));
  for (const answer of held.reverse()) answer();
  expect((await Promise.all(calls)).map(({ name }) => name)).toEqual(['a', 'b', 'c']);
  expect(await calls[0]).toEqual({ name: 'a', uuid: UUID, id: 3 });
});

test.each([
  [42, 'LibvirtFailed', 'retry'],
  [27, 'DefinitionRefused', 'terminal'],
  [67, 'DefinitionRefused', 'terminal'],
  [1, 'LibvirtFailed', 'retry'],
])('the refusal %i is told in libvirt’s words: %s, %s', async (code, reason, retry) => {
  const { procedures } = await open();
  fake.handler = (_call, _reply, refuse) => refuse(errorPayload(code, 'no, thank you'));
  const failure = await procedures.define('<domain/>').catch((thrown) => thrown);
  expect(failure).toBeInstanceOf(LibvirtError);
  expect(failure).toMatchObject({ code, reason, retry });
  expect(failure.message).toContain('no, thank you');
});

test('events of domains are passed on, whatever happened; a panic is told by nothing else', async () => {
  await open();
  const lifecycle = (event: number, detail: number) => {
    const what = new XdrWriter().int(event).int(detail).finish();
    return Buffer.concat([new XdrWriter().int(1).finish(), domain('web'), what]);
  };
  fake.send({ procedure: DOMAIN_EVENT_LIFECYCLE, payload: lifecycle(5, 2) });
  fake.send({ procedure: DOMAIN_EVENT_LIFECYCLE, payload: lifecycle(8, 0) });
  fake.send({ procedure: DOMAIN_EVENT_LIFECYCLE, payload: lifecycle(8, 1) });
  const device = Buffer.concat([
    new XdrWriter().int(3).finish(),
    domain('web'),
    new XdrWriter().string('net1').finish(),
  ]);
  fake.send({ procedure: 350, payload: device });
  await vi.waitFor(() => expect(heard).toEqual([`web ${UUID}`, `web ${UUID} panicked`, `web ${UUID}`, `web ${UUID}`]));
});

test('a ping of libvirt is answered', async () => {
  await open();
  fake.send({ program: KEEPALIVE_PROGRAM, procedure: 1 });
  await vi.waitFor(() =>
    expect(fake.received).toContainEqual(expect.objectContaining({ program: KEEPALIVE_PROGRAM, procedure: 2 })),
  );
});

test('when libvirtd dies, running calls fail, later ones wait for its return, which is told', async () => {
  const { procedures } = await open();
  fake.handler = () => {};
  const failure = procedures.define('<domain/>').catch((thrown) => thrown);
  await vi.waitFor(() => expect(fake.received.some(({ procedure }) => procedure === DEFINE)).toBe(true));
  await fake.die();
  expect(await failure).toMatchObject({ reason: 'LibvirtUnavailable', retry: 'retry' });
  const waiting = procedures.lookupByName('web');
  fake.handler = (call, reply) =>
    call.procedure === LOOKUP_BY_NAME ? reply(domain('web')) : answerGreeting(call, reply);
  await fake.listen();
  await vi.waitFor(() => {
    clock.advance(100);
    expect(heard).toEqual([expect.stringMatching(/^away: /), 'restored']);
  });
  expect((await waiting).name).toBe('web');
});

test('a call does not wait for ever', async () => {
  const { procedures } = await open();
  await fake.die();
  const failure = await vi.waitFor(async () => {
    const call = procedures.lookupByName('web').catch((thrown) => thrown);
    clock.advance(10_000);
    return call;
  });
  expect(failure).toMatchObject({ reason: 'LibvirtUnavailable', retry: 'retry' });
  await fake.listen();
});

test('a libvirtd that hangs is left: silence ends the connection', async () => {
  const { procedures } = await open();
  fake.handler = () => {};
  const failure = procedures.lookupByName('web').catch((thrown) => thrown);
  await vi.waitFor(() => expect(fake.received.at(-1)?.procedure).toBe(LOOKUP_BY_NAME));
  clock.advance(60_000);
  expect(await failure).toMatchObject({ reason: 'LibvirtUnavailable' });
  expect((await failure).message).toContain('has not answered');
});

test('polkit is asked where libvirt wants it', async () => {
  fake.handler = (call, reply) =>
    call.procedure === 66 ? reply(new XdrWriter().uint(1).int(2).finish()) : answerGreeting(call, reply);
  await open();
  expect(fake.received.map(({ procedure }) => procedure)).toEqual([66, 70, 1, ...Array(5).fill(316)]);
});

test('no socket is no libvirt: told with its path', async () => {
  const options = {
    socket: '/no/such/socket',
    clock,
    log: () => {},
    listener: { happened: () => {}, away: () => {}, restored: () => {} },
  };
  const failure = await LibvirtLink.open(options).catch((thrown) => thrown);
  expect(failure).toMatchObject({ reason: 'LibvirtUnavailable', retry: 'retry' });
  expect(failure.message).toContain('/no/such/socket');
});
