/** What is read of an answer, within bounds. */
import { type PlumbError, retryable, terminal } from '@plumb/schemas/meta/error.ts';
import type { Incoming } from './wire.ts';

/** The body's text, in UTF-8. What is larger than `most` bytes is refused with terminal `AnswerTooLarge`. */
export async function wholeText({ body }: Incoming, most: number, server: string): Promise<string> {
  const { text, cut } = await firstText(body, most);
  if (cut) throw tooLarge(`an answer of more than ${mebibytes(most)}`, server);
  return text;
}

/** As {@link wholeText}, but only the beginning of what is larger: enough to say why something failed. */
export async function beginning({ body }: Incoming, most: number): Promise<string> {
  return (await firstText(body, most)).text;
}

async function firstText(body: AsyncIterable<Buffer>, most: number): Promise<{ text: string; cut: boolean }> {
  const parts: Buffer[] = [];
  let bytes = 0;
  let cut = false;
  for await (const part of body) {
    bytes += part.length;
    cut = bytes > most;
    if (cut) break;
    parts.push(part);
  }
  return { text: Buffer.concat(parts).toString('utf8'), cut };
}

/** The lines of a body that are not blank, as JSON. One longer than `most` characters is refused with terminal `AnswerTooLarge`. */
export async function* jsonLines({ body }: Incoming, most: number, server: string): AsyncGenerator<unknown> {
  const decoder = new TextDecoder();
  let rest = '';
  for await (const part of body) {
    const text = decoder.decode(part, { stream: true });
    const end = text.lastIndexOf('\n');
    if (rest.length + (end < 0 ? text.length : text.indexOf('\n')) > most)
      throw tooLarge(`a line of more than ${mebibytes(most)}`, server);
    if (end < 0) {
      rest += text;
      continue;
    }
    const lines = (rest + text.slice(0, end)).split('\n');
    rest = text.slice(end + 1);
    for (const line of lines) if (line.trim() !== '') yield jsonIn(line, server);
  }
}

/** Throws retryable `BadAnswer`; the parser's own message would quote what may be a secret. */
export function jsonIn(text: string, server: string): unknown {
  const value = parsed(text);
  if (value === undefined)
    throw retryable('BadAnswer', `${server} answered something that is not JSON: is it a Plumb server?`);
  return value;
}

/** Undefined for what is not JSON. */
export function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function tooLarge(what: string, server: string): PlumbError {
  return terminal(
    'AnswerTooLarge',
    `the server at ${server} sent ${what}: ask for less, for example for one namespace`,
  );
}

function mebibytes(bytes: number): string {
  return bytes >= 1 << 20 ? `${Math.floor(bytes / (1 << 20))} MiB` : `${bytes} bytes`;
}
