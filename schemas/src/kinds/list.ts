/** Every kind: one line for each. Their order is derived, see index.ts. */
export { type ChangeSet, changeSet } from './change-set.ts';
export { type GitSource, gitSource } from './git-source.ts';
export { type Host, host } from './host.ts';
export { type Image, image } from './image.ts';
export { type Instance, instance } from './instance.ts';
export { type InstanceOffering, instanceOffering } from './instance-offering.ts';
export { type L2Network, l2Network } from './l2-network.ts';
export { type L3Network, l3Network } from './l3-network.ts';
export { type SecurityGroup, securityGroup } from './security-group.ts';
export { type TerraformState, terraformState } from './terraform-state.ts';
export { type Zone, zone } from './zone.ts';
