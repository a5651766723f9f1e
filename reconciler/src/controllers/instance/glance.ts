/**
 * Finds at a glance that an instance is as declared, for the many of a scan that are settled. It looks at everything that
 * `judge` looks at, but works out once what is the same for all instances with the same references: what these resolve to,
 * and what resources there must be for an instance that differs from another only in its uid, name, MACs and addresses.
 *
 * It says `same` only where `judge` would. Whatever is less usual (a flow, another size than the offering's, addresses of
 * people's choice, a difference) it leaves to `judge`.
 */
import { type Instance, objectName, PlumbError, resourceKey } from '@plumb/schemas';
import { blank, type Likeness } from '../../fleet/likeness.ts';
import type { InterfaceAllocation, RootDisk } from '../../plan/allocation.ts';
import { heldAllocation } from '../../plan/allocation.ts';
import { asMade } from '../../plan/plan.ts';
import type { Cached } from '../../runtime/cache.ts';
import { contributionsTo, likenessOf } from '../contributor.ts';
import type { Context } from '../controller.ts';
import { isApplied } from '../placed/applied.ts';
import { missingShared } from '../placed/shared.ts';
import { type ResolvedInstance, resolveInstance } from './references.ts';
import { ownResources } from './resources.ts';
import type { References, SeenReferences } from './seen-references.ts';

/** What instances with the same words for what they refer to have in common. */
interface Around {
  references: References;
  referencesVersion: number;
  resolved: ResolvedInstance;
  /** Of each interface. */
  networks: { uid: string; name: string }[];
  /** Keys of what is shared that the host must have. */
  shared: string[];
  /** By what determines the resources of an instance beside; undefined for what was seen once. */
  patterns: Map<string, Likeness | undefined>;
}

/** Stands for the uid of any instance. */
const EXAMPLE_UID = '00000000-0000-4000-8000-000000000000';
const NOTHING_LIVES = new Map();
/** Bounds of what is kept while a scan lasts. Beyond them it begins anew. */
const MOST_AROUND = 4_096;
const MOST_PATTERNS = 8_192;
/** Longer declarations of users are their own, most likely. */
const LONGEST_USER_DATA = 4_096;

export class Glance {
  readonly #context: Context;
  readonly #references: SeenReferences;
  #around = new Map<string, Around>();
  #patterns = 0;

  constructor(context: Context, references: SeenReferences) {
    this.#context = context;
    this.#references = references;
  }

  /** Forgets what it worked out. */
  clear(): void {
    this.#around = new Map();
    this.#patterns = 0;
  }

  /** What the instance refers to, if it is certainly the same; undefined says nothing. */
  sameBy(cached: Cached<Instance>): References | undefined {
    const { journal, liveness } = this.#context;
    const { metadata, spec, status } = cached.object;
    const host = status?.host;
    if (metadata.deletionTimestamp || host === undefined || journal.get(metadata.uid)) return undefined;
    if (!liveness.connected(host)) return undefined;
    const { rootDisk, interfaces = [] } = status!;
    const around = this.#aroundOf(cached);
    if (around === undefined || rootDisk === undefined) return undefined;
    const { offering, image } = around.resolved.references;
    if (status!.cpus !== offering.spec.cpus || status!.memoryMiB !== offering.spec.memoryMiB) return undefined;
    if (rootDisk.imageUid !== image.metadata.uid && !isApplied(cached.object)) return undefined;
    if (!holdsAsDeclared(spec.interfaces, interfaces, around.networks)) return undefined;
    const likeness = this.#likenessOf(around, cached.object, rootDisk, interfaces);
    if (likeness === undefined) return undefined;
    const words = wordsOf(metadata.name, interfaces);
    if (!this.#context.fleet.isLike(likeness, metadata.uid, host, words)) return undefined;
    return this.#hasShared(host, around) ? around.references : undefined;
  }

  /** As of this turn. Undefined when there is something about what it refers to that is to be said. */
  #aroundOf(cached: Cached<Instance>): Around | undefined {
    const { metadata, spec } = cached.object;
    let name = `${metadata.namespace} ${spec.zone} ${spec.offering} ${spec.image}`;
    for (const declared of spec.interfaces) name += ` ${declared.name} ${declared.l3Network}`;
    name += ` ${likenessOf(this.#context, cached.object)}`;
    const known = this.#around.get(name);
    if (known && this.#references.versionOf(known.references) === known.referencesVersion) return known;
    if (this.#around.size >= MOST_AROUND || this.#patterns >= MOST_PATTERNS) this.clear();
    this.#around.delete(name);
    try {
      const around = this.#resolve(cached);
      this.#around.set(name, around);
      return around;
    } catch (error) {
      if (error instanceof PlumbError) return undefined;
      throw error;
    }
  }

  #resolve(cached: Cached<Instance>): Around {
    const resolved = resolveInstance(this.#context, cached, false);
    const references = this.#references.of(resolved.used.map(({ key }) => key));
    const shared = new Set<string>();
    for (const { l2, l3 } of resolved.references.networks.values()) {
      shared.add(`bridge/${l2.metadata.uid}`);
      if (l3.status?.dhcpAddress) shared.add(`subnet/${l3.metadata.uid}`);
    }
    for (const key of this.#sharedByOthers(cached.object, resolved)) shared.add(key);
    return {
      ...{ references, referencesVersion: references.version, resolved },
      networks: [...resolved.networks.values()].map(({ l3 }) => ({
        uid: l3.metadata.uid,
        name: objectName(l3.metadata),
      })),
      ...{ shared: [...shared], patterns: new Map() },
    };
  }

  /** Keys of what stands behind the resources that others contribute, whatever the host. */
  #sharedByOthers(instance: Instance, { references }: ResolvedInstance): string[] {
    const held = heldAllocation(instance.status);
    if (held === undefined || this.#context.contributors.length === 0) return [];
    const { resources, used } = contributionsTo(
      this.#context,
      instance,
      ownResources(instance, held, references.networks),
    );
    return missingShared(this.#context, held.host, resources, NOTHING_LIVES, used).map(resourceKey);
  }

  /** Undefined when it is the first of its like: it is not known yet whether others follow. */
  #likenessOf(
    around: Around,
    instance: Instance,
    disk: RootDisk,
    interfaces: readonly InterfaceAllocation[],
  ): Likeness | undefined {
    const { metadata, spec } = instance;
    const { userData = '', sshKeys = [] } = spec;
    if (spec.userDataFrom !== undefined || !disk.id.startsWith(metadata.uid) || userData.length > LONGEST_USER_DATA)
      return undefined;
    let key = `${spec.power} ${spec.rootDiskMiB} ${disk.sha256} ${disk.format} ${disk.id.slice(metadata.uid.length)}`;
    for (const { addresses } of interfaces) key += ` ${addresses.length}`;
    // With their lengths, since they may hold anything.
    for (const text of sshKeys) key += ` ${text.length} ${text}`;
    if (spec.userData !== undefined) key += ` and ${userData}`;
    const known = around.patterns.get(key);
    if (known !== undefined) return known;
    const likeness = around.patterns.has(key) ? this.#exampleOf(around, instance, disk, interfaces) : undefined;
    around.patterns.set(key, likeness);
    this.#patterns++;
    return likeness;
  }

  #exampleOf(
    { resolved }: Around,
    instance: Instance,
    disk: RootDisk,
    interfaces: readonly InterfaceAllocation[],
  ): Likeness {
    const { metadata, status } = instance;
    let words = 1;
    const held = {
      ...heldAllocation(status)!,
      rootDisk: { ...disk, id: EXAMPLE_UID + disk.id.slice(metadata.uid.length) },
      interfaces: interfaces.map((each) => ({
        ...each,
        macAddress: blank(words++),
        addresses: each.addresses.map(() => blank(words++)),
      })),
    };
    const example = { ...instance, metadata: { ...metadata, uid: EXAMPLE_UID, name: blank(0) } };
    const resources = ownResources(example, held, resolved.references.networks);
    const contributed = contributionsTo(this.#context, example, resources).resources;
    return this.#context.fleet.likeness(EXAMPLE_UID, [...resources, ...contributed].map(asMade));
  }

  #hasShared(name: string, { shared }: Around): boolean {
    const resources = this.#context.fleet.host(name)?.resources;
    return shared.every((key) => resources?.get(key)?.drift.length === 0);
  }
}

/** In the order in which an example's blanks are numbered. */
function wordsOf(name: string, interfaces: readonly InterfaceAllocation[]): string[] {
  const words = [name];
  for (const { macAddress, addresses } of interfaces) {
    words.push(macAddress);
    for (const address of addresses) words.push(address);
  }
  return words;
}

/** Whether `allocate` would give each interface what it holds, and nothing else. */
function holdsAsDeclared(
  declared: Instance['spec']['interfaces'],
  held: readonly InterfaceAllocation[],
  networks: Around['networks'],
): boolean {
  if (declared.length !== held.length || declared.length !== networks.length) return false;
  for (const [i, wanted] of declared.entries()) {
    const has = held[i]!;
    const network = networks[i]!;
    if (has.name !== wanted.name || has.l3NetworkUid !== network.uid || has.l3Network !== network.name) return false;
    if (wanted.addresses?.length || (wanted.macAddress !== undefined && wanted.macAddress !== has.macAddress))
      return false;
    for (let other = 0; other < i; other++) if (held[other]!.macAddress === has.macAddress) return false;
  }
  return true;
}
