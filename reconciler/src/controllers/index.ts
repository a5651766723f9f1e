/** Every controller that runs. */
import { instanceOffering, zone } from '@plumb/schemas';
import { changeSetController } from './change-set/controller.ts';
import type { Context, Controller } from './controller.ts';
import { declaredController } from './declared/controller.ts';
import { hostController } from './host/controller.ts';
import { imageController } from './image/controller.ts';
import { instanceController } from './instance/controller.ts';
import { l2NetworkController } from './l2-network/controller.ts';
import { l3NetworkController } from './l3-network/controller.ts';

export function allControllers(context: Context): Controller[] {
  return [
    declaredController(context, zone),
    declaredController(context, instanceOffering),
    hostController(context),
    l2NetworkController(context),
    l3NetworkController(context),
    imageController(context),
    instanceController(context),
    changeSetController(context),
  ];
}
