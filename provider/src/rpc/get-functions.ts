import type { Empty } from '../wire/messages.ts';
import type { Rpc } from './rpc.ts';

/** This provider has no functions. */
export const getFunctions: Rpc<Empty, Empty> = () => ({});
