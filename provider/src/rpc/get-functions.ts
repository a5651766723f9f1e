import type { TerraformType } from '@plumb/schemas/project/terraform.ts';
import { functions } from '../functions/list.ts';
import type { Empty, FunctionsReply, WireFunction } from '../wire/messages.ts';
import type { Rpc } from './rpc.ts';

const typeBytes = (type: TerraformType) => Buffer.from(JSON.stringify(type));

/** Every function as the schema tells it. */
export const wireFunctions: Readonly<Record<string, WireFunction>> = Object.fromEntries(
  Object.entries(functions).map(([name, { summary, description, parameters, returns }]): [string, WireFunction] => [
    name,
    {
      summary,
      description,
      parameters: parameters.map((parameter) => ({ ...parameter, type: typeBytes(parameter.type) })),
      return: { type: typeBytes(returns) },
    },
  ]),
);

export const getFunctions: Rpc<Empty, FunctionsReply> = () => ({ functions: wireFunctions });
