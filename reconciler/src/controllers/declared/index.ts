import type { KindDefinition } from '@plumb/schemas';
import type { KindModule } from '../kind-module.ts';
import { declaredController } from './controller.ts';

/** A kind that is only words for others to use. */
export function declaredModule(kind: KindDefinition): KindModule {
  return {
    kind,
    watches: [],
    writes: [`${kind.kind}.status`],
    controller: (context) => declaredController(context, kind),
  };
}
