/** What a handler gives back; the listener writes it. */

export interface Reply {
  status: number;
  /** Media type of the body. */
  type: string;
  /** The whole body, or its parts as they come: a stream ends with the request's signal. */
  body: string | Buffer | AsyncIterable<string | Buffer>;
  headers?: Record<string, string>;
  /** Its parts are news, to leave as they come. */
  live?: true;
  /** There is no other encoding of it. */
  only?: true;
  /** Whether the client takes it compressed, should it be long. */
  gzip?: true;
  /** To be called when an empty part of a stream comes, which says that the beginning of a watch is over. */
  started?: () => void;
  /** To be called, once or more, when the body was sent, or never will be. */
  done?: () => void;
}

export const JSON_TYPE = 'application/json';

/** A JSON body made of a value. */
export function json(status: number, value: unknown, headers?: Record<string, string>): Reply {
  return { status, type: JSON_TYPE, body: JSON.stringify(value), headers };
}

/** A body of plain text. */
export function plain(status: number, text: string): Reply {
  return { status, type: 'text/plain; charset=utf-8', body: text };
}
