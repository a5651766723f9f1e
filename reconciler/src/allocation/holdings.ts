/** Who holds what where, for questions by host and by network: derived from status and flows (`controllers/held.ts`), never stored. */
import { Digest } from '../plan/digest.ts';
import type { Held, HeldDigest, HoldingType } from '../plan/holding.ts';
import { SlotIndex } from '../runtime/slot-index.ts';
import { Uids } from '../runtime/uids.ts';
import { Numbers } from './numbers.ts';
import { Shares } from './shares.ts';

export interface HoldingsChange {
  /** uids of the L3Networks that the instance came to hold, or holds no more, on some host. */
  networks: ReadonlySet<string>;
  /** Hosts of which it holds nothing any more. */
  left: ReadonlySet<string>;
  /** Hosts of which others may get something now: those of which it held something before. */
  freed: ReadonlySet<string>;
  /** Whether another process freed something in the store, of these hosts or none, whoever held it. */
  byAnother?: true;
}

/** What an allocation is of, apart from its host: few of many are different. */
interface Content {
  /** l3 uid of each interface. */
  networks: readonly string[];
  /** sha256 of the image. */
  image: string;
}

export class Holdings {
  private readonly uids = new Uids();
  private readonly slots = new SlotIndex((slot, uid) => this.uids.is(slot, uid));
  private readonly free: number[] = [];
  private used = 0;
  /** By slot: of everything that the instance holds, so that any change of it is seen. */
  private digests: number[] = [];
  private readonly shares = new Shares();
  private readonly hostNumbers = new Numbers();
  private readonly contents = new Map<string, Map<string, number>>();
  private readonly contentOf: Content[] = [];
  /** Words of allocations that many share. */
  private readonly words = new Numbers();
  /** l3 uid → number of the host → number of interfaces. */
  private readonly networks = new Map<string, Map<number, number>>();

  private readonly listeners = new Set<(change: HoldingsChange) => void>();

  /** Looks anew what an instance holds; cf. `controllers/held.ts`. */
  lookAt: (uid: string) => void = () => {};

  /**
   * Says everything that the instance holds now; an empty list forgets it. What is about to be written may be said as well: if it is
   * not, after all, {@link lookAt} is to follow. `type`: of what objects of its kind hold.
   */
  set(uid: string, allocations: readonly Held[], type: HoldingType): void {
    let slot = this.slots.find(uid);
    if (slot < 0 && allocations.length === 0) return;
    const digest = this.digest(allocations, type);
    const known = slot >= 0;
    if (known && this.digests[slot] === digest) return;
    if (!known) slot = this.take(uid);
    const before = known ? this.shares.of(slot) : [];
    for (const { host, content } of before) this.count(host, content, -1);
    this.shares.clear(slot);
    this.digests[slot] = digest;
    for (const allocation of allocations) {
      const [host, content] = [this.hostNumbers.of(allocation.host), this.content(allocation, type)];
      this.shares.add(slot, host, content);
      this.count(host, content, 1);
    }
    const after = this.listeners.size > 0 ? this.shares.of(slot) : [];
    if (allocations.length === 0) this.release(slot);
    if (this.listeners.size > 0) this.tell(before, after);
  }

  /** It holds nothing, whatever its kind. */
  forget(uid: string): void {
    this.set(uid, [], NO_TYPE);
  }

  /** Calls `listener` after an instance came to hold something else. Returns a function that ends it. */
  onChange(listener: (change: HoldingsChange) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }

  /** Every host of which an instance holds or held a share. */
  hosts(): Iterable<string> {
    return this.hostNumbers.all();
  }

  /** Hosts of which the instance holds a share, each once. */
  hostsOf(uid: string): Set<string> {
    const slot = this.slots.find(uid);
    const shares = slot < 0 ? [] : this.shares.of(slot);
    return new Set(shares.map(({ host }) => this.hostNumbers.text(host)));
  }

  /** uids of the instances that hold a share of the host, each once. */
  on(host: string): string[] {
    const slots = new Set(this.sharesOn(host).map(({ holder }) => holder));
    return Array.from(slots, (slot) => this.uids.get(slot));
  }

  /** Hosts on which an instance holds an interface of the network. */
  *hostsOfNetwork(l3Uid: string): Generator<string> {
    for (const host of this.networks.get(l3Uid)?.keys() ?? []) yield this.hostNumbers.text(host);
  }

  /** uids of the L3Networks of which an instance holds an interface on the host. */
  networksOn(host: string): Set<string> {
    return new Set(this.sharesOn(host).flatMap(({ content }) => this.contentOf[content]!.networks));
  }

  usesNetwork(host: string, l3Uid: string): boolean {
    const number = this.hostNumbers.known(host);
    return number !== undefined && (this.networks.get(l3Uid)?.has(number) ?? false);
  }

  /** Whether an instance holds, or is to have, a clone of this image on the host. */
  usesImage(host: string, sha256: string): boolean {
    return this.sharesOn(host).some(({ content }) => this.contentOf[content]!.image === sha256);
  }

  private sharesOn(host: string): { holder: number; content: number }[] {
    const number = this.hostNumbers.known(host);
    return number === undefined ? [] : this.shares.on(number);
  }

  private take(uid: string): number {
    const slot = this.free.pop() ?? this.used++;
    this.uids.set(slot, uid);
    this.slots.add(slot, uid);
    return slot;
  }

  private release(slot: number): void {
    this.slots.remove(slot);
    this.uids.set(slot, '');
    this.free.push(slot);
  }

  private content(held: Held, { networks: networksOf, image: imageOf }: HoldingType): number {
    const image = imageOf?.(held) ?? '';
    const networks = networksOf?.(held) ?? NONE;
    const words = networks.length === 1 ? networks[0]! : networks.join(' ');
    let ofImage = this.contents.get(image);
    if (ofImage === undefined) {
      ofImage = new Map();
      this.contents.set(image, ofImage);
    }
    const known = ofImage.get(words);
    if (known !== undefined) return known;
    ofImage.set(words, this.contentOf.length);
    return this.contentOf.push({ networks, image }) - 1;
  }

  private count(host: number, content: number, sign: 1 | -1): void {
    for (const network of this.contentOf[content]!.networks) {
      const hosts = this.networks.get(network) ?? new Map<number, number>();
      const n = (hosts.get(host) ?? 0) + sign;
      if (n <= 0) hosts.delete(host);
      else hosts.set(host, n);
      if (hosts.size === 0) this.networks.delete(network);
      else this.networks.set(network, hosts);
    }
  }

  private digest(allocations: readonly Held[], type: HoldingType): number {
    const into = new WordDigest(this.words);
    for (const held of allocations) {
      into.number(this.hostNumbers.of(held.host));
      into.number(this.content(held, type));
      if (type.digest) type.digest(held, into);
      else into.text(JSON.stringify(held));
    }
    return into.value;
  }

  private tell(before: Share[], after: Share[]): void {
    const networks = new Set<string>();
    this.addPlacesOnlyIn(before, after, networks);
    this.addPlacesOnlyIn(after, before, networks);
    const left = before.filter(({ host }) => !after.some((kept) => kept.host === host));
    if (networks.size === 0 && before.length === 0) return;
    const change = { networks, left: this.names(left), freed: this.names(before) };
    for (const listener of this.listeners) listener(change);
  }

  private names(shares: readonly Share[]): Set<string> {
    return new Set(shares.map(({ host }) => this.hostNumbers.text(host)));
  }

  /** l3 uids of the interfaces whose network the others do not have on that host. */
  private addPlacesOnlyIn(shares: Share[], others: Share[], found: Set<string>): void {
    for (const { host, content } of shares)
      for (const network of this.contentOf[content]!.networks)
        if (!others.some((other) => other.host === host && this.contentOf[other.content]!.networks.includes(network)))
          found.add(network);
  }
}

class WordDigest extends Digest implements HeldDigest {
  readonly #words: Numbers;

  constructor(words: Numbers) {
    super();
    this.#words = words;
  }

  word(text: string): void {
    this.number(this.#words.of(text));
  }
}

const NONE: readonly string[] = [];
const NO_TYPE: HoldingType = {
  ...{ kind: '', schema: {} },
  settled: () => undefined,
  claims: ({ host }) => ({ host, amounts: [], exclusive: [] }),
};

type Share = { host: number; content: number };
