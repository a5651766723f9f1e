import { PlumbError } from '@plumb/schemas';

/** Status codes of gRPC (grpc/doc/statuscodes.md) that are said here. */
export const STATUS = {
  ok: 0,
  invalidArgument: 3,
  alreadyExists: 6,
  resourceExhausted: 8,
  failedPrecondition: 9,
  unimplemented: 12,
  unavailable: 14,
  unauthenticated: 16,
} as const;

export type StatusCode = (typeof STATUS)[keyof typeof STATUS];

/** Why a call ends, as gRPC says it. */
export class CallFailure extends Error {
  readonly code: StatusCode;

  constructor(code: StatusCode, message: string) {
    super(message);
    this.code = code;
  }

  /** What was thrown, which `doing` names. */
  static from(thrown: unknown, doing: string): CallFailure {
    if (thrown instanceof CallFailure) return thrown;
    const { reason, message } = PlumbError.from(thrown, doing);
    return new CallFailure(codes[reason] ?? STATUS.unavailable, message);
  }
}

const codes: Readonly<Record<string, StatusCode>> = {
  WrongJoinToken: STATUS.unauthenticated,
  UnknownCredential: STATUS.unauthenticated,
  HostTaken: STATUS.alreadyExists,
  HostRemoved: STATUS.failedPrecondition,
  InvalidJoin: STATUS.invalidArgument,
  InvalidCall: STATUS.invalidArgument,
  UnknownProtocol: STATUS.failedPrecondition,
};

/** The trailers that say so. A message of gRPC is percent-encoded. */
export function statusTrailers(code: StatusCode, message = ''): Record<string, string> {
  const kept = message.slice(0, MOST_CHARACTERS).toWellFormed();
  return { 'grpc-status': String(code), ...(kept && { 'grpc-message': encodeURI(kept) }) };
}

/** Encoded, each takes at most nine bytes of a header. */
const MOST_CHARACTERS = 1024;
