import { terraformState } from '@plumb/schemas';
import { whyNoStateHead } from '../../states/head.ts';
import { keys } from '../../store/keys.ts';
import type { KindModule } from '../kind-module.ts';
import { terraformStateController } from './controller.ts';

export const terraformStateModule: KindModule = {
  kind: terraformState,
  watches: [],
  records: [{ prefix: keys.stateHeads, whyNot: whyNoStateHead }],
  writes: ['TerraformState.status'],
  controller: terraformStateController,
};
