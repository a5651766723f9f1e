/**
 * The process that fetches images: the only one of the agent that speaks to image servers. It begins by giving up every right
 * and never has one of the agent's files; what it reads goes through a socket to the agent, which sums and writes it.
 *
 *   node fetcher-main.ts [UID GID]      on descriptor 3 the agent, on those that it names the folders of images
 */
import { readlinkSync } from 'node:fs';
import { Socket } from 'node:net';
import { getCACertificates } from 'node:tls';
import { PlumbError } from '@plumb/schemas/meta/error.ts';
import { giveUpRoot } from '@plumb/schemas/sources/give-up-root.ts';
import { SourceRules } from '@plumb/schemas/sources/source-rules.ts';
import { unavailable } from './failures.ts';
import type { FetcherSetup } from './fetcher-process.ts';
import { encodeFrame, FRAME, FrameReader, failureText, MOST_PAYLOAD_BYTES, WINDOW_BYTES } from './frames.ts';
import { type OpenSource, sourceOpener } from './open-source.ts';

const AGENT = 3;

/** What is under way of one fetch. */
interface Fetch {
  abort: AbortController;
  /** Bytes that the agent is ready to take. */
  credit: number;
  /** Goes on when there is credit again. */
  wake: () => void;
}

if (process.env.NODE_EXTRA_CA_CERTS) getCACertificates('default'); // Read while it may read them.
giveUpRoot(process.argv.slice(2).map(Number), 'the fetcher of images');
const agent = new Socket({ fd: AGENT, readable: true, writable: true });
const fetches = new Map<number, Fetch>();
let openSource: OpenSource | undefined;

const reader = new FrameReader();
agent.on('data', (chunk: Buffer) => {
  for (const { type, id, payload } of reader.read(chunk)) heard(type, id, payload);
});
for (const event of ['end', 'close', 'error']) agent.on(event, () => process.exit(0));

function heard(type: number, id: number, payload: Buffer): void {
  const fetch = fetches.get(id);
  if (type === FRAME.setup) openSource = opener(JSON.parse(payload.toString('utf8')) as FetcherSetup);
  else if (type === FRAME.open) void carryOut(id, payload.toString('utf8'));
  else if (type === FRAME.cancel) {
    fetch?.abort.abort(new Error('nobody wants it any more'));
    fetch?.wake();
  } else if (type === FRAME.credit && fetch) {
    fetch.credit += payload.readUInt32BE(0);
    fetch.wake();
  }
}

function opener({ rules, folders }: FetcherSetup): OpenSource {
  return sourceOpener({
    rules: new SourceRules(rules),
    folders: folders.map(({ named, fd }) => {
      const base = `/proc/self/fd/${fd}`;
      return { named, base, real: readlinkSync(base) };
    }),
    log: (line) => say(FRAME.log, 0, Buffer.from(line).subarray(0, MOST_PAYLOAD_BYTES)),
  });
}

async function carryOut(id: number, url: string): Promise<void> {
  const fetch: Fetch = { abort: new AbortController(), credit: WINDOW_BYTES, wake: () => {} };
  fetches.set(id, fetch);
  try {
    const source = await openSource!(url, fetch.abort.signal);
    try {
      say(FRAME.opened, id, Buffer.from(String(source.bytes ?? '')));
      for await (const chunk of source.chunks) await send(id, fetch, chunk);
      say(FRAME.end, id);
    } finally {
      source.close();
    }
  } catch (thrown) {
    const failure = thrown instanceof PlumbError ? thrown : unavailable(url, 'the fetcher failed', thrown);
    if (!fetch.abort.signal.aborted) say(FRAME.failed, id, failureText(failure));
  } finally {
    fetches.delete(id);
  }
}

/** Sends the chunk as the agent takes it. */
async function send(id: number, fetch: Fetch, chunk: Uint8Array): Promise<void> {
  for (let at = 0; at < chunk.length; ) {
    fetch.abort.signal.throwIfAborted();
    const bytes = Math.min(fetch.credit, chunk.length - at, MOST_PAYLOAD_BYTES);
    if (bytes > 0) {
      fetch.credit -= bytes;
      say(FRAME.data, id, chunk.subarray(at, at + bytes));
      at += bytes;
    } else {
      await new Promise<void>((resolve) => {
        fetch.wake = resolve;
      });
    }
  }
}

function say(type: number, id: number, payload?: Uint8Array): void {
  agent.write(encodeFrame(type, id, payload));
}
