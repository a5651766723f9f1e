import { BadArgument, functions } from '../functions/list.ts';
import { decodeTyped, encodeTyped } from '../value/msgpack.ts';
import type { CallReply, CallRequest } from '../wire/messages.ts';
import type { Rpc } from './rpc.ts';

/** Computes one of the provider's functions. Terraform asks before the provider is configured, too. */
export const callFunction: Rpc<CallRequest, CallReply> = ({ name, arguments: given }) => {
  const called = Object.hasOwn(functions, name) ? functions[name]! : undefined;
  if (!called) return { error: { text: `This provider has no function ${name}.` } };
  try {
    const args = called.parameters.map(({ type }, index) => {
      const value = given[index]?.msgpack?.length ? decodeTyped(given[index].msgpack, type) : null;
      // Terraform refuses null and waits for what is unknown, but not inside of lists.
      if (value === null || (Array.isArray(value) && value.some((item) => typeof item !== 'string')))
        throw new BadArgument(index, 'must not have null in it');
      return value;
    });
    return { result: { msgpack: encodeTyped(called.run(...(args as never[]))) } };
  } catch (error) {
    if (error instanceof BadArgument) return { error: { text: error.message, functionArgument: error.index } };
    return { error: { text: `${name} failed: ${(error as Error).message}` } };
  }
};
