/** Guests that ask DNS and DHCP all the time, while ports of other guests come, take their lease, and go. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostResource } from '@plumb/schemas';
import { readLeases } from '../leases.ts';
import { DhcpClient } from './dhcp-client.ts';
import { GuestStub } from './guest-stub.ts';
import type { World } from './world.ts';

export interface BusyOptions {
  guests: number;
  /** Questions of all guests together. */
  perSecond: number;
  /** Ports that are made and removed, several at a time; they share a few addresses. */
  changes: number;
  atOnce: number;
}

export interface BusyResult {
  asked: number;
  /** Questions without the right answer, as sentences. */
  failed: string[];
  slowestMs: number;
  /** Ports that came and did not get their address at once. */
  without: string[];
  seconds: number;
}

const FIRST_GUEST = 100;
const FIRST_ADDRESS = 200;
const TICK_MS = 20;
const LEASE_WITHIN_MS = 5_000;
const REQUEST = 3;

export async function busyNetwork(world: World, options: BusyOptions): Promise<BusyResult> {
  const ports = Array.from({ length: options.guests }, (_, index) => portOf(world, FIRST_GUEST + index, 1));
  await Promise.all(ports.map((port) => world.network.ensurePort(port)));
  const taps = await world.hold(ports.map(({ id }) => world.names.tap(id)));
  const guests = ports.map(({ id, spec }) => {
    const card = { mac: spec.macAddress, ip: spec.addresses[0]! };
    return new GuestStub(taps, world.names.tap(id), card, world.cards.gateway);
  });
  try {
    for (const guest of guests)
      if ((await guest.dhcp.lease()) === undefined) throw new Error(`${guest.card.ip} is not given`);
    const asking = new Asking(guests, options.perSecond);
    const began = performance.now();
    const without = await changePorts(world, options);
    const seconds = (performance.now() - began) / 1_000;
    return { ...(await asking.end()), without, seconds };
  } finally {
    for (const guest of guests) guest.close();
    await taps.close();
    await Promise.all(ports.map(({ id }) => world.network.removePort(id)));
  }
}

/** Asks in the names of the guests in turn, DNS and DHCP by halves. */
class Asking {
  readonly #guests: readonly GuestStub[];
  readonly #timer: NodeJS.Timeout;
  readonly #open = new Set<Promise<void>>();
  readonly #failed: string[] = [];
  #asked = 0;
  #slowestMs = 0;

  constructor(guests: readonly GuestStub[], perSecond: number) {
    this.#guests = guests;
    const began = performance.now();
    // A tick that is late asks what is due by then, up to a bound: a machine that is too slow shall not ask for ever.
    this.#timer = setInterval(() => {
      const due = Math.floor(((performance.now() - began) / 1_000) * perSecond);
      const most = Math.ceil((perSecond * TICK_MS) / 1_000) * 10;
      for (let asked = 0; this.#asked < due && asked < most; asked++) this.#ask();
    }, TICK_MS);
  }

  async end(): Promise<Pick<BusyResult, 'asked' | 'failed' | 'slowestMs'>> {
    clearInterval(this.#timer);
    await Promise.all(this.#open);
    return { asked: this.#asked, failed: this.#failed, slowestMs: this.#slowestMs };
  }

  #ask(): void {
    this.#asked += 1;
    const guest = this.#guests[this.#asked % this.#guests.length]!;
    const other = this.#guests[(this.#asked * 7) % this.#guests.length]!;
    const byDns = Math.floor(this.#asked / this.#guests.length) % 2 === 0;
    const began = performance.now();
    const question = byDns ? this.#askName(guest, other) : this.#askLease(guest);
    const open = question.then((failure) => {
      this.#slowestMs = Math.max(this.#slowestMs, performance.now() - began);
      if (failure !== undefined) this.#failed.push(failure);
      this.#open.delete(open);
    });
    this.#open.add(open);
  }

  async #askName(guest: GuestStub, other: GuestStub): Promise<string | undefined> {
    const answers = await guest.resolve(`${nameOf(other.card.ip)}.lab.internal`);
    if (answers?.join() === other.card.ip) return undefined;
    return `${guest.card.ip} asked for ${nameOf(other.card.ip)}: ${answers?.join() ?? 'no answer'}`;
  }

  async #askLease(guest: GuestStub): Promise<string | undefined> {
    const answer = await guest.dhcp.ask(1, {}, LEASE_WITHIN_MS);
    return answer?.address === guest.card.ip ? undefined : `${guest.card.ip} asked for a lease: ${answer?.address}`;
  }
}

/** Makes and removes ports; each takes its lease in between, with an Ethernet address of its own. */
async function changePorts(world: World, { changes, atOnce }: BusyOptions): Promise<string[]> {
  const without: string[] = [];
  let made = 0;
  const lane = async (address: number) => {
    while (made < changes) {
      made += 1;
      const port = portOf(world, address, 1 + made);
      await world.network.ensurePort(port);
      if (!(await takesLease(world, port))) without.push(`${port.spec.macAddress} of ${port.spec.addresses[0]}`);
      await world.network.removePort(port.id);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, (_, index) => lane(FIRST_ADDRESS + index)));
  return without;
}

/** Asks for the port's address once, as a guest that starts; what the server has given is in its file. */
async function takesLease(world: World, { spec }: HostResource<'port'>): Promise<boolean> {
  const { gateway } = world.cards;
  const client = new DhcpClient(world.taps, world.ghost, { mac: spec.macAddress, ip: spec.addresses[0]! }, gateway.ip);
  client.say(REQUEST, { more: [[50, Buffer.from(spec.addresses[0]!.split('.').map(Number))]] });
  const deadline = performance.now() + LEASE_WITHIN_MS;
  while (performance.now() < deadline) {
    const given = readLeases(await readFile(join(world.serverFolder, 'given'), 'utf8'));
    if (given.some((one) => one.macAddress === spec.macAddress && one.address === spec.addresses[0])) return true;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return false;
}

function portOf(world: World, last: number, generation: number): HostResource<'port'> {
  const { spec } = world.resources.ports.guest;
  const hex = generation.toString(16).padStart(8, '0');
  const owner = `${hex}-0000-4000-8000-${last.toString(16).padStart(12, '0')}`;
  const bytes = [generation >> 8, generation & 0xff, last].map((byte) => byte.toString(16).padStart(2, '0'));
  const address = `10.20.0.${last}`;
  return {
    kind: 'port',
    id: `${owner}.eth0`,
    owner,
    spec: { ...spec, macAddress: `52:54:01:${bytes.join(':')}`, addresses: [address], hostname: nameOf(address) },
  };
}

function nameOf(address: string): string {
  return `g-${address.replaceAll('.', '-')}`;
}
