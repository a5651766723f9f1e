/** One request on the way to one server, whichever HTTP it speaks. */
import type { SecureContextOptions } from 'node:tls';
import { PlumbError, retryable, terminal } from '@plumb/schemas/meta/error.ts';

export interface Outgoing {
  method: string;
  /** Path and query. */
  path: string;
  headers: Readonly<Record<string, string>>;
  payload: Buffer | undefined;
  /** Ends the request, and whatever is read of its answer. */
  signal: AbortSignal;
}

export interface Incoming {
  status: number;
  /** In small letters. */
  headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Throws what node throws when it breaks off. */
  body: AsyncIterable<Buffer>;
  /** What was not read is not wanted. To be called in the end, however it ended. */
  leave(): void;
}

/** Connections to one server. */
export interface Wire {
  /** Rejects with {@link Unsent} when the server has certainly seen nothing of the request, else with what node says. */
  send(request: Outgoing): Promise<Incoming>;
  close(): void;
}

/** Whom we believe and who we are. Everything is said, so that no variable of the environment decides anything. */
export interface Trust extends Pick<SecureContextOptions, 'cert' | 'key'> {
  ca: string | string[];
  rejectUnauthorized: boolean;
  servername?: string;
}

/** The request did not leave this machine, so that it may be sent elsewhere. */
export class Unsent extends Error {
  constructor(cause: unknown) {
    super('no connection', { cause });
  }
}

/** Codes of Node and OpenSSL for a certificate that waiting will not mend. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER|ALTNAME/;

/** What went wrong between us and `server`, which is fit to be shown. `untrusted` makes the sentence about a certificate. */
export function wireError(
  thrown: unknown,
  server: string,
  untrusted: (server: string, why: string) => string,
): PlumbError {
  if (thrown instanceof PlumbError) return thrown;
  // A request on a connection that broke says no more than that; its cause says why.
  const error = deepest(thrown);
  if (error.code === 'ECONNREFUSED')
    return retryable('Unreachable', `nothing listens at ${server}: is the server running? Start it with plumb server`);
  if (NOT_TLS.test(error.message)) return terminal('NotHttps', `${server} speaks no TLS: is it http instead of https?`);
  if (error.code === 'ECONNRESET' && server.startsWith('http:'))
    return retryable('Unreachable', `${server} closed the connection without an answer: is it https instead of http?`);
  if (error.code !== undefined && CERTIFICATE.test(error.code))
    return terminal('Untrusted', untrusted(server, error.message));
  return retryable('Unreachable', `the server at ${server} did not answer: ${error.message || error.code}`, thrown);
}

/** What OpenSSL says of bytes that are no TLS, as a server sends them that speaks plain HTTP. */
const NOT_TLS = /:(wrong version number|http request|packet length too long|record layer failure):/;

function deepest(thrown: unknown): NodeJS.ErrnoException {
  const error = thrown as NodeJS.ErrnoException & { errors?: unknown[] };
  if (error.cause instanceof Error) return deepest(error.cause);
  // Several addresses were tried.
  return error instanceof AggregateError && error.errors.length > 0 ? deepest(error.errors[0]) : error;
}

/** Rejects with the signal's reason when it aborts before `wanted` is settled. */
export function unlessAborted<T>(wanted: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = () => reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    wanted.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) onAbort();
  });
}
