import type { LiveThing } from '@plumb/schemas';
import type { AgentMessage, WireLiveThing } from '@plumb/schemas/wire/messages.ts';
import { FRAME_BYTES, thingBytes } from '@plumb/schemas/wire/outbox.ts';
import { liveThingToWire } from '@plumb/schemas/wire/thing-codec.ts';
import { liveDigest, thingLine } from '@plumb/schemas/wire/thing-line.ts';

/**
 * The live state of a host as messages of bounded size; each but the last says that more follows. Nothing but that it is
 * unchanged, when it has the digest `known`.
 */
export function snapshotMessages(host: string, live: readonly LiveThing[], known = ''): AgentMessage[] {
  if (known !== '' && liveDigest(live.map(thingLine)) === known)
    return [{ host, body: 'snapshot', snapshot: { things: [], more: false, unchanged: true } }];
  const parts: WireLiveThing[][] = [[]];
  let bytes = 0;
  for (const thing of live.map(liveThingToWire)) {
    const part = parts.at(-1)!;
    bytes += thingBytes(thing.thing);
    if (bytes <= FRAME_BYTES || part.length === 0) {
      part.push(thing);
    } else {
      parts.push([thing]);
      bytes = thingBytes(thing.thing);
    }
  }
  return parts.map((things, index) => ({
    host,
    body: 'snapshot',
    snapshot: { things, more: index < parts.length - 1 },
  }));
}
