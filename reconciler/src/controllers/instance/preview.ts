/** What a preview says of an instance beside its steps. */
import type { Instance } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import type { PlanStep } from '../../plan/plan.ts';
import type { Placement } from '../kind-preview.ts';

/** A MAC address follows from the uid, which an instance that is not there yet does not have. */
export function interfacesOf(
  { interfaces }: Allocation,
  { resourceVersion }: Instance['metadata'],
): Placement['interfaces'] {
  const isMade = resourceVersion !== '0';
  return interfaces.map(({ name, l3Network, addresses, macAddress }) => ({
    ...{ name, l3Network, addresses },
    ...(isMade ? { macAddress } : {}),
  }));
}

/** That a guest which runs on sees a new seed only later; undefined when it does not run on with the old one. */
export function seedWords(steps: readonly PlanStep[]): string | undefined {
  const made = steps.filter(({ verb }) => verb === 'ensure').map(({ resource }) => resource.kind);
  if (!made.includes('seed') || made.includes('domain')) return undefined;
  return 'its userData or sshKeys change: the guest sees them when it is next started';
}
