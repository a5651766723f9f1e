import type { ServerHttp2Session } from 'node:http2';
import type { Clock } from '@plumb/schemas';

const PING_MS = 30_000;
const ANSWER_MS = 20_000;

/**
 * Ends a connection whose other end is gone without a word: each ping is to be answered in time. Returns what ends the
 * pings.
 */
export function keepAlive(session: ServerHttp2Session, clock: Clock): () => void {
  let stop = clock.after(PING_MS, ping);
  function ping(): void {
    if (session.destroyed) return;
    const lost = () => session.destroy();
    stop = clock.after(ANSWER_MS, lost);
    const sent = session.ping((error) => {
      if (error || session.destroyed) return;
      stop();
      stop = clock.after(PING_MS, ping);
    });
    if (!sent) lost();
  }
  return () => stop();
}
