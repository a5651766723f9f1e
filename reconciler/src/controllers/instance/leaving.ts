/** Whether another instance is about to give up what it holds: whoever asks for that waits, instead of failing for good. */
import type { Instance } from '@plumb/schemas';
import { ADDRESS, type Allocation, heldAllocation, type InterfaceAllocation } from '../../plan/allocation.ts';
import { isStalled } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';

/** A claim of one pool: `<l3 uid>/<address>`, or a MAC address. */
export interface Claimed {
  pool: number;
  key: string;
}

type Declared = Instance['spec']['interfaces'][number];

/**
 * Whether the holder with that uid is being deleted, or is declared without the claim and has not given up on that. One that itself asks for
 * something that `asker` holds would wait for ever.
 */
export function isLeaving(
  { read }: Pick<Context, 'read'>,
  uid: string,
  claim: Claimed,
  asker: readonly Pick<Allocation, 'interfaces'>[],
): boolean {
  const holder = read.byUid(uid)?.object;
  if (holder === undefined) return false;
  if (holder.metadata.deletionTimestamp !== undefined) return true;
  if (holder.kind !== 'Instance' || isStalled(holder)) return false;
  const { spec, status } = holder as Instance;
  const held = heldAllocation(status)?.interfaces.find((one) => has(one, claim));
  if (!held || asksFor(spec.interfaces, asker)) return false;
  const declared = spec.interfaces.find(({ name }) => name === held.name);
  return !declared || !keeps(holder.metadata.namespace!, declared, held, claim);
}

function has({ l3NetworkUid, addresses, macAddress }: InterfaceAllocation, { pool, key }: Claimed): boolean {
  return pool === ADDRESS ? addresses.some((address) => `${l3NetworkUid}/${address}` === key) : macAddress === key;
}

/** Whether an interface that is declared so in a project keeps the claim. */
function keeps(project: string, declared: Declared, held: InterfaceAllocation, { pool, key }: Claimed): boolean {
  if (pool !== ADDRESS) return declared.macAddress === undefined || declared.macAddress === key;
  const { addresses, l3Network } = declared;
  if (held.l3Network !== (l3Network.includes('/') ? l3Network : `${project}/${l3Network}`)) return false;
  return !addresses?.length || addresses.some((address) => `${held.l3NetworkUid}/${address}` === key);
}

function asksFor(declared: readonly Declared[], asker: readonly Pick<Allocation, 'interfaces'>[]): boolean {
  const held = asker.flatMap(({ interfaces }) => interfaces);
  return declared.some(({ addresses = [], macAddress }) =>
    held.some((one) => one.macAddress === macAddress || one.addresses.some((address) => addresses.includes(address))),
  );
}
