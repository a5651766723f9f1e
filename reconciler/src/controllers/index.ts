/** Every kind that the control plane keeps. */
import { kinds } from '@plumb/schemas';
import { declaredModule } from './declared/index.ts';
import type { KindModule } from './kind-module.ts';
import * as list from './list.ts';

const modules: readonly KindModule[] = Object.values(list);

/** In the order of the kinds. One that touches no host and has nobody to look after has no line in the list. */
export const kindModules: readonly KindModule[] = kinds.map(
  (kind) => modules.find((module) => module.kind === kind) ?? declaredModule(kind),
);
