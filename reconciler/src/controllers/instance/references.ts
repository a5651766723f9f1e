/** The objects an instance refers to, resolved and checked. */
import {
  type Image,
  type Instance,
  type InstanceOffering,
  isBuiltin,
  type L2Network,
  type L3Network,
  objectName,
  type PlumbObject,
  terminal,
  within,
  type Zone,
} from '@plumb/schemas';
import { parseSubnet, type Subnet } from '../../plan/addressing.ts';
import type { Allocation } from '../../plan/allocation.ts';
import type { Cached } from '../../runtime/cache.ts';
import { textOf } from '../../runtime/user-data.ts';
import type { Context } from '../controller.ts';
import type { Resolved } from '../placed/placed-kind.ts';
import { mustBeReady, resolve } from '../references.ts';
import type { InterfaceNetwork } from './allocate.ts';
import type { InstanceReferences } from './resources.ts';

type Secret = PlumbObject;

export interface ResolvedInstance extends Resolved {
  references: InstanceReferences;
  networks: ReadonlyMap<string, InterfaceNetwork>;
}

/** `newUse`: the instance holds nothing yet, so that what is being deleted is not taken. Throws conditions. */
export function resolveInstance(context: Context, cached: Cached<Instance>, newUse: boolean): ResolvedInstance {
  const { object } = cached;
  const { spec, metadata } = object;
  const used: Cached[] = [];
  const get = <T extends Cached['object']>(field: string, kind: string, word: string): Cached<T> => {
    const found = resolve<T>(context, object, field, kind, word, { newUse });
    if (newUse && !isBuiltin(found.kind)) mustBeReady(field, found);
    used.push(found);
    return found;
  };
  const flow = context.journal.get(metadata.uid)?.record;
  const interfaces = [
    ...(object.status?.interfaces ?? []),
    ...((flow?.target as Allocation | undefined)?.interfaces ?? []),
  ];
  const held = new Set(interfaces.map(({ l3NetworkUid }) => l3NetworkUid));
  const userDataOf = ({ userDataFrom }: Instance['spec'], found: () => Cached<Secret>) => {
    if (userDataFrom === undefined) return undefined;
    const { secret, key } = userDataFrom;
    const text = within('spec.userDataFrom.key', () => textOf(found().object, key, `Secret ${secret}`));
    return { secret: `${metadata.namespace}/${secret}`, key, hash: context.userData.hash(text) };
  };
  get<Zone>('spec.zone', 'Zone', spec.zone);
  const offering = get<InstanceOffering>('spec.offering', 'InstanceOffering', spec.offering);
  const image = get<Image>('spec.image', 'Image', spec.image);
  const networks = new Map<string, InterfaceNetwork>();
  const byInterface = new Map<string, { l3: L3Network; l2: L2Network }>();
  const network = (declared: Instance['spec']['interfaces'][number], field: string) => {
    const l3 = get<L3Network>(field, 'L3Network', declared.l3Network);
    if (!newUse && !held.has(l3.object.metadata.uid)) {
      // A network that it comes to is as new to it as to an instance that is made.
      resolve<L3Network>(context, object, field, 'L3Network', declared.l3Network, { newUse: true });
      mustBeReady(field, l3);
    }
    const l2 = resolve<L2Network>(
      context,
      l3.object,
      `${field}: spec.l2Network`,
      'L2Network',
      l3.object.spec.l2Network,
      {
        newUse: false,
      },
    );
    if (l2.object.spec.zone !== spec.zone)
      throw terminal(
        'ZoneMismatch',
        `${field}: ${objectName(l3.object.metadata)} is carried by L2Network ${l2.object.metadata.name} of zone ${l2.object.spec.zone}, and the instance runs in zone ${spec.zone}`,
      );
    used.push(l2);
    networks.set(declared.name, {
      l3: l3.object,
      subnet: subnetOf(l3.object),
    });
    byInterface.set(declared.name, { l3: l3.object, l2: l2.object });
  };
  spec.interfaces.forEach((declared, i) => {
    const field = `spec.interfaces[${i}].l3Network`;
    within(field, () => network(declared, field));
  });
  const userData = userDataOf(spec, () => get<Secret>('spec.userDataFrom.secret', 'Secret', spec.userDataFrom!.secret));
  return {
    references: {
      ...{ offering: offering.object, image: image.object, networks: byInterface },
      ...(userData === undefined ? {} : { userData }),
    },
    networks,
    used,
  };
}

/** Parsed once for the many instances of a network: as long as its declaration is the same object. */
const subnets = new WeakMap<object, Subnet>();

function subnetOf({ metadata, spec }: L3Network): Subnet {
  let subnet = subnets.get(spec.ipv4);
  if (subnet === undefined) {
    subnet = parseSubnet(objectName(metadata), spec.ipv4);
    subnets.set(spec.ipv4, subnet);
  }
  return subnet;
}
