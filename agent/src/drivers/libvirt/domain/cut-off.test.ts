import { beforeEach, expect, test } from 'vitest';
import type { FakeDomain } from '../rpc/fake-hypervisor.ts';
import { FakeHypervisor, off } from '../rpc/fake-hypervisor.ts';
import { ManualClock } from '../rpc/manual-clock.ts';
import { cutOffPorts } from './cut-off.ts';

const UUID = '1a57a9ce-0000-4000-8000-000000000001';
const PORTS = [`${UUID}.eth0`, `${UUID}.eth1`];
const xml = `<domain type="qemu"><name>default.web</name><uuid>${UUID}</uuid></domain>`;

let libvirt: FakeHypervisor;
let domain: FakeDomain;
let clock: ManualClock;
let dead: string[];

beforeEach(() => {
  libvirt = new FakeHypervisor();
  domain = libvirt.add({ definition: xml, running: xml });
  clock = new ManualClock();
  dead = [];
});

/** What comes of the question, while time passes; `meanwhile` is called with each 50 ms of it. */
async function asked(meanwhile: (ms: number) => void = () => {}): Promise<string[]> {
  let answer: string[] | undefined;
  const work = cutOffPorts(PORTS, {
    libvirt: libvirt.procedures,
    clock,
    withoutCarrier: async (ids) => ids.filter((id) => dead.includes(id)),
    ownerOf: () => UUID,
  }).then((ports) => {
    answer = ports;
  });
  for (let ms = 0; answer === undefined; ms += 50) {
    for (let turn = 0; turn < 5; turn++) await new Promise((resolve) => setImmediate(resolve));
    meanwhile(ms);
    clock.advance(50);
  }
  await work;
  return answer;
}

test('a connected port is connected, and nobody is asked', async () => {
  libvirt.fault = () => {
    throw new Error('libvirt was asked');
  };
  expect(await asked()).toEqual([]);
});

test('a port whose guest goes on without it is cut off', async () => {
  dead = [PORTS[1]!];
  expect(await asked()).toEqual([PORTS[1]]);
});

test('a connection that comes back while it is looked at is none that was lost', async () => {
  dead = PORTS;
  const comesBack = (ms: number) => {
    if (ms === 300) dead = [];
  };
  expect(await asked(comesBack)).toEqual([]);
});

test.each([
  ['powered off', 'shutdown'],
  ['was pulled out', 'destroyed'],
  ['crashed', 'crashed'],
] as const)('a guest that %s is not cut off, however late libvirt says so', async (_what, reason) => {
  for (const late of [0, 50, 500, 1_400]) {
    Object.assign(domain, { state: 1, reason: 1, id: 1, running: xml });
    dead = PORTS;
    expect(await asked((ms) => ms === late && libvirt.end(domain, off[reason]))).toEqual([]);
  }
});

test('nor is one that libvirt is about to end, or has forgotten', async () => {
  dead = PORTS;
  domain.state = 4; // VIR_DOMAIN_SHUTDOWN
  expect(await asked()).toEqual([]);
  Object.assign(domain, { state: 1, definition: undefined });
  expect(await asked((ms) => ms === 100 && libvirt.end(domain, off.destroyed))).toEqual([]);
});
