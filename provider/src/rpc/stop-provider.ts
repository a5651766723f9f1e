import type { Empty } from '../wire/messages.ts';
import type { Rpc } from './rpc.ts';

/** Terraform was interrupted: waits end at once, and what they leave behind is told as usual. */
export const stopProvider: Rpc<Empty, Empty> = (_request, session) => {
  session.stop();
  return {};
};
