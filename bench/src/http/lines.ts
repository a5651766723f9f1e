import type { IncomingMessage } from 'node:http';
import { type RequestOptions, request } from 'node:https';

/**
 * The lines of an answer that does not end. `onEnd` is told once if anybody else ends it. Returns a function that ends it.
 * Rejects unless the status is 200.
 */
export async function followLines(
  options: RequestOptions,
  onLine: (line: string) => void,
  onEnd: (why: Error) => void,
): Promise<() => void> {
  const what = `${options.method} ${options.path}`;
  const asked = request(options);
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    asked.once('response', resolve);
    asked.once('error', reject);
    asked.end();
  });
  let ended = false;
  const end = (why: Error) => {
    if (!ended) onEnd(why);
    ended = true;
  };
  const leave = () => {
    ended = true;
    asked.destroy();
  };
  asked.on('error', end);
  if (answer.statusCode !== 200) {
    leave();
    throw new Error(`${what}: ${answer.statusCode}`);
  }
  let rest = '';
  answer.setEncoding('utf8');
  answer.on('data', (part: string) => {
    const lines = (rest + part).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) onLine(line);
  });
  answer.on('end', () => end(new Error(`the server ended ${what}`)));
  answer.on('error', end);
  return leave;
}
