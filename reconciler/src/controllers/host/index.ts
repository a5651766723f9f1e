import { host } from '@plumb/schemas';
import type { KindModule } from '../kind-module.ts';
import { hostController } from './controller.ts';
import { watches } from './watches.ts';

export const hostModule: KindModule = { kind: host, watches, controller: hostController };
