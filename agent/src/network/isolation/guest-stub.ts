/** As much of a guest as DNS and DHCP need: it answers ARP for its address, and asks. */
import { DhcpClient } from './dhcp-client.ts';
import { arp, ethernet, ip, ipv4, u16, udp } from './frames.ts';
import type { HeldTaps } from './held-taps.ts';
import type { Card } from './world.ts';

const DNS_PORT = 53;
const ANSWER_WITHIN_MS = 5_000;

let lastId = 0;

export class GuestStub {
  readonly dhcp: DhcpClient;
  readonly card: Card;
  readonly #taps: HeldTaps;
  readonly #tap: string;
  readonly #gateway: Card;
  readonly #stop: () => void;
  /** By the number of the question. */
  readonly #waiting = new Map<number, (answers: string[]) => void>();

  constructor(taps: HeldTaps, tap: string, card: Card, gateway: Card) {
    this.card = card;
    this.dhcp = new DhcpClient(taps, tap, card, gateway.ip);
    this.#taps = taps;
    this.#tap = tap;
    this.#gateway = gateway;
    this.#stop = taps.listen((to, frame) => {
      if (to === tap) this.#hear(frame);
    });
  }

  close(): void {
    this.#stop();
  }

  /** The addresses of a name; undefined when there is no answer in time. Asked once: what is lost is not asked again. */
  resolve(name: string): Promise<string[] | undefined> {
    return new Promise((resolve) => {
      lastId = (lastId + 1) & 0xffff;
      const id = lastId;
      const timer = setTimeout(() => done(undefined), ANSWER_WITHIN_MS);
      const done = (answers: string[] | undefined) => {
        clearTimeout(timer);
        this.#waiting.delete(id);
        resolve(answers);
      };
      this.#waiting.set(id, done);
      const { card } = this;
      const payload = udp(DNS_PORT + 10_000, DNS_PORT, question(id, name));
      const packet = ipv4({ from: card.ip, to: this.#gateway.ip, id, payload });
      this.#taps.send(this.#tap, ethernet({ to: this.#gateway.mac, from: card.mac, type: 0x0800, payload: packet }));
    });
  }

  #hear(frame: Buffer): void {
    const type = frame.readUInt16BE(12);
    if (type === 0x0806) this.#hearArp(frame.subarray(14));
    const isDns = type === 0x0800 && frame[23] === 17 && frame.readUInt16BE(34) === DNS_PORT;
    if (isDns) this.#waiting.get(frame.readUInt16BE(42))?.(answersOf(frame.subarray(42)));
  }

  #hearArp(message: Buffer): void {
    const { card } = this;
    const asksForUs = message.readUInt16BE(6) === 1 && message.subarray(24, 28).equals(ip(card.ip));
    if (!asksForUs) return;
    const gateway = this.#gateway;
    const payload = arp({ op: 2, sha: card.mac, spa: card.ip, tha: gateway.mac, tpa: gateway.ip });
    this.#taps.send(this.#tap, ethernet({ to: gateway.mac, from: card.mac, type: 0x0806, payload }));
  }
}

function question(id: number, name: string): Buffer {
  const labels = name.split('.').map((label) => Buffer.concat([Buffer.from([label.length]), Buffer.from(label)]));
  return Buffer.concat([u16(id, 0x0100, 1, 0, 0, 0), ...labels, Buffer.from([0]), u16(1, 1)]);
}

/** The IPv4 addresses in an answer whose names are all compressed, as dnsmasq writes them. */
function answersOf(message: Buffer): string[] {
  let at = 12;
  while (message[at] !== 0) at += 1 + message[at]!;
  at += 5;
  const answers: string[] = [];
  for (let left = message.readUInt16BE(6); left > 0; left--) {
    const length = message.readUInt16BE(at + 10);
    if (length === 4) answers.push([...message.subarray(at + 12, at + 16)].join('.'));
    at += 12 + length;
  }
  return answers;
}
