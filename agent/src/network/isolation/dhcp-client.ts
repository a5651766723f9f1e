/** A guest's DHCP client at a held tap: says what it is told to, and waits for the answer. */
import type { DhcpOptions } from './frames.ts';
import { BROADCAST, dhcp, ethernet, ip, ipv4, mac, NONE, udp } from './frames.ts';
import type { HeldTaps } from './held-taps.ts';
import type { Card } from './world.ts';

const DISCOVER = 1;
const OFFER = 2;
const REQUEST = 3;
const DECLINE = 4;
const ACK = 5;
const RELEASE = 7;
/** The server answers within milliseconds, or not at all. */
const ANSWER_WITHIN_MS = 1_500;

export interface DhcpAnswer {
  type: number;
  address: string;
}

export type MessageOptions = Partial<Omit<DhcpOptions, 'xid' | 'options'>> & { more?: (readonly [number, Buffer])[] };

let lastNumber = 0;

export class DhcpClient {
  readonly card: Card;
  readonly #taps: HeldTaps;
  readonly #tap: string;
  readonly #server: string;

  constructor(taps: HeldTaps, tap: string, card: Card, server: string) {
    this.#taps = taps;
    this.#tap = tap;
    this.card = card;
    this.#server = server;
  }

  /** The address that the client gets by asking as clients do; undefined when it gets none. */
  async lease(options: MessageOptions = {}): Promise<string | undefined> {
    const offer = await this.ask(DISCOVER, options);
    if (offer?.type !== OFFER) return undefined;
    const more = [...(options.more ?? []), [50, ip(offer.address)], [54, ip(this.#server)]] as const;
    const answer = await this.ask(REQUEST, { ...options, more: [...more] });
    return answer?.type === ACK ? answer.address : undefined;
  }

  discover(options: MessageOptions = {}): Promise<DhcpAnswer | undefined> {
    return this.ask(DISCOVER, options);
  }

  /** Refuses an address as clients do that found it in use. There is no answer. `first`: options before the type. */
  decline(address = this.card.ip, options: MessageOptions = {}, first: (readonly [number, Buffer])[] = []): void {
    const more = [...(options.more ?? []), [50, ip(address)], [54, ip(this.#server)]] as const;
    this.say(DECLINE, { ...options, more: [...more] }, undefined, first);
  }

  release(address = this.card.ip, options: MessageOptions = {}): void {
    this.say(RELEASE, { ciaddr: address, more: [[54, ip(this.#server)]], ...options });
  }

  /** Says it and resolves to the answer; undefined when there is none in time. */
  ask(type: number, options: MessageOptions = {}, withinMs = ANSWER_WITHIN_MS): Promise<DhcpAnswer | undefined> {
    return new Promise((resolve) => {
      const done = (answer: DhcpAnswer | undefined) => {
        clearTimeout(timer);
        stop();
        resolve(answer);
      };
      const timer = setTimeout(() => done(undefined), withinMs);
      const number = nextNumber();
      const stop = this.#taps.listen((tap, frame) => {
        const answer = tap === this.#tap ? readAnswer(frame) : undefined;
        if (answer?.number === number) done(answer);
      });
      this.say(type, options, number);
    });
  }

  say(type: number, options: MessageOptions, number = nextNumber(), first: (readonly [number, Buffer])[] = []): void {
    const { more = [], ...fields } = options;
    const written = [...first, [53, Buffer.from([type])] as const, ...more];
    const message = dhcp({ xid: number, chaddr: this.card.mac, ...fields, options: written });
    const unicast = type === RELEASE;
    const packet = ipv4({
      from: unicast ? this.card.ip : NONE,
      to: unicast ? this.#server : '255.255.255.255',
      id: number & 0xffff,
      payload: udp(68, 67, message),
    });
    this.#taps.send(this.#tap, ethernet({ to: BROADCAST, from: this.card.mac, type: 0x0800, payload: packet }));
  }
}

/** A client's option 61, as those say it that make it from an Ethernet address. */
export function clientId(address: string): readonly [number, Buffer] {
  return [61, Buffer.concat([Buffer.from([1]), mac(address)])];
}

function nextNumber(): number {
  lastNumber += 1;
  return 0x2000_0000 + lastNumber;
}

function readAnswer(frame: Buffer): (DhcpAnswer & { number: number }) | undefined {
  const bootp = 14 + 20 + 8;
  if (frame.length < bootp + 243 || frame.readUInt16BE(12) !== 0x0800 || frame.readUInt16BE(36) !== 68)
    return undefined;
  return {
    number: frame.readUInt32BE(bootp + 4),
    address: [...frame.subarray(bootp + 16, bootp + 20)].join('.'),
    type: readType(frame.subarray(bootp + 240)),
  };
}

function readType(options: Buffer): number {
  for (let at = 0; at + 2 < options.length && options[at] !== 255; at += 2 + options[at + 1]!)
    if (options[at] === 53) return options[at + 2]!;
  return 0;
}
