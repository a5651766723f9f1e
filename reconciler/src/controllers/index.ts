/** Every kind that the control plane keeps. */
import { instanceOffering, zone } from '@plumb/schemas';
import { changeSetModule } from './change-set/index.ts';
import { declaredModule } from './declared/index.ts';
import { hostModule } from './host/index.ts';
import { imageModule } from './image/index.ts';
import { instanceModule } from './instance/index.ts';
import type { KindModule } from './kind-module.ts';
import { l2NetworkModule } from './l2-network/index.ts';
import { l3NetworkModule } from './l3-network/index.ts';

export const kindModules: readonly KindModule[] = [
  declaredModule(zone),
  declaredModule(instanceOffering),
  hostModule,
  l2NetworkModule,
  l3NetworkModule,
  imageModule,
  instanceModule,
  changeSetModule,
];
