/** What each kind is to the control plane: one line for each that does more than stand there for others to use. */
export { changeSetModule } from './change-set/index.ts';
export { gitSourceModule } from './git-source/index.ts';
export { hostModule } from './host/index.ts';
export { imageModule } from './image/index.ts';
export { instanceModule } from './instance/index.ts';
export { l2NetworkModule } from './l2-network/index.ts';
export { l3NetworkModule } from './l3-network/index.ts';
export { securityGroupModule } from './security-group/index.ts';
export { terraformStateModule } from './terraform-state/index.ts';
