/** Every kind, in the order in which people read about them. Adding a kind: docs/adding-a-kind.md. */
import { changeSet } from './change-set.ts';
import type { KindDefinition } from './define.ts';
import { host } from './host.ts';
import { image } from './image.ts';
import { instance } from './instance.ts';
import { instanceOffering } from './instance-offering.ts';
import { l2Network } from './l2-network.ts';
import { l3Network } from './l3-network.ts';
import { zone } from './zone.ts';

export const kinds: readonly KindDefinition[] = [
  zone,
  host,
  l2Network,
  l3Network,
  image,
  instanceOffering,
  instance,
  changeSet,
];

const byName = new Map<string, KindDefinition>(kinds.map((k) => [k.kind, k]));
const byAlias = new Map<string, KindDefinition>(
  kinds.flatMap((k) =>
    [k.kind.toLowerCase(), k.plural, k.singular, ...k.shortNames].map((alias) => [alias, k] as const),
  ),
);

/** The kind of that exact name (`Instance`), or undefined. */
export function kindByName(kind: string): KindDefinition | undefined {
  return byName.get(kind);
}

/** The kind that a person means: kind, plural, singular or short name, in any case. */
export function kindByAlias(word: string): KindDefinition | undefined {
  return byAlias.get(word.toLowerCase());
}

export type { ChangeSet } from './change-set.ts';
export type { Host } from './host.ts';
export type { Image } from './image.ts';
export type { Instance } from './instance.ts';
export type { InstanceOffering } from './instance-offering.ts';
export type { L2Network } from './l2-network.ts';
export type { L3Network } from './l3-network.ts';
export type { Zone } from './zone.ts';
export { changeSet, host, image, instance, instanceOffering, l2Network, l3Network, zone };
