export const ECHO_PATH = '/plumb.bench.Floor/Echo';

/** Messages are bytes: a floor does not encode. */
export function raw(message: Buffer): Buffer {
  return message;
}

/** What a command of a create weighs, about: seven steps as text. */
export const MESSAGE_BYTES = 2_048;
