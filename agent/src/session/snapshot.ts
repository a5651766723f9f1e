import type { LiveResource } from '@plumb/schemas';
import type { AgentMessage, WireLiveResource } from '@plumb/schemas/wire/messages.ts';
import { FRAME_BYTES, resourceBytes } from '@plumb/schemas/wire/outbox.ts';
import { liveResourceToWire } from '@plumb/schemas/wire/resource-codec.ts';
import { liveDigest, resourceLine } from '@plumb/schemas/wire/resource-line.ts';

/**
 * The live state of a host as messages of bounded size; each but the last says that more follows. Nothing but that it is
 * unchanged, when it has the digest `known`.
 */
export function snapshotMessages(host: string, live: readonly LiveResource[], known = ''): AgentMessage[] {
  if (known !== '' && liveDigest(live.map(resourceLine)) === known)
    return [{ host, body: 'snapshot', snapshot: { resources: [], more: false, unchanged: true } }];
  const parts: WireLiveResource[][] = [[]];
  let bytes = 0;
  for (const resource of live.map(liveResourceToWire)) {
    const part = parts.at(-1)!;
    bytes += resourceBytes(resource.resource);
    if (bytes <= FRAME_BYTES || part.length === 0) {
      part.push(resource);
    } else {
      parts.push([resource]);
      bytes = resourceBytes(resource.resource);
    }
  }
  return parts.map((resources, index) => ({
    host,
    body: 'snapshot',
    snapshot: { resources, more: index < parts.length - 1 },
  }));
}
