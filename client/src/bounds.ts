/** What a client takes of a server, whatever that sends: bounds on answers, lines and waits. */
export interface Bounds {
  /** A server to which no connection comes about in this time is not there. Milliseconds. */
  connectMs: number;
  /** A request that has brought no whole answer in this time is given up; it may have been carried out. Milliseconds. */
  answerMs: number;
  /** Size of the answer to one request, in bytes. */
  answerBytes: number;
  /** Size of an answer that is no success, in bytes: what is beyond it is not read. */
  failureBytes: number;
  /** Length of one line of a watch, in characters. */
  lineLength: number;
  /** A watch is renewed after this time, so that a dead connection is noticed. Seconds. */
  watchSeconds: number;
  /** The longest time for which a server is left alone because it asks for it. Milliseconds. */
  retryAfterMs: number;
}

export const defaultBounds: Bounds = {
  connectMs: 10_000,
  answerMs: 30_000,
  answerBytes: 256 << 20,
  failureBytes: 1 << 20,
  lineLength: 16 << 20,
  watchSeconds: 240,
  retryAfterMs: 300_000,
};
