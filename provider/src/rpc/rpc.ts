import type { Diagnostic } from '../diagnostic.ts';
import { errorDiagnostics } from '../diagnostic.ts';
import type { Session } from '../session.ts';
import { wireDiagnostics } from '../wire/convert.ts';
import type { WithDiagnostics } from '../wire/messages.ts';

/** One RPC of the protocol: a request of one connection, and its answer. */
export type Rpc<Request, Reply> = (request: Request, session: Session) => Reply | Promise<Reply>;

/** One RPC whose answer is a stream of events. It tells errors in an event, and throws none. */
export type StreamRpc<Request, Event> = (request: Request, session: Session) => AsyncIterable<Event>;

export interface Manners {
  /** Terraform ends for an error that one resource has, and needs to hear no more often that the server is away. */
  saysOnce?: true;
}

/**
 * What the RPC answers, or its error as diagnostics: an RPC that fails itself tells a person nothing. `unchanged` is the
 * rest of the answer in that case, so that no state is lost.
 */
export function guarded<Request, Reply extends WithDiagnostics>(
  summary: string,
  run: Rpc<Request, Reply>,
  unchanged: (request: Request) => Reply = () => ({}) as Reply,
  { saysOnce }: Manners = {},
): Rpc<Request, Reply> {
  return async (request, session) => {
    try {
      return await run(request, session);
    } catch (error) {
      session.log('error', summary, { error: error instanceof Error ? error.message : String(error) });
      const told = saysOnce && error instanceof Error && session.isTold(error);
      if (told) return unchanged(request);
      return { ...unchanged(request), diagnostics: wireDiagnostics(errorDiagnostics(error, summary)) };
    }
  };
}

/** The answer to an RPC that only judges. */
export function verdict(diagnostics: readonly Diagnostic[]): WithDiagnostics {
  return { diagnostics: wireDiagnostics(diagnostics) };
}
