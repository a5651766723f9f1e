/** What a host that is attached says of what lives on it: checked against the bounds, then put into live state. */
import { type DomainFacts, type LiveResource, type OpaqueResource, type PlumbError, retryable } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { printable } from '@plumb/schemas/meta/printable.ts';
import type { Changes, Snapshot, WireLiveResource } from '@plumb/schemas/wire/messages.ts';
import { liveResourceFromWire, opaqueFromWire } from '@plumb/schemas/wire/resource-codec.ts';
import type { Log } from '../log.ts';
import type { LiveChange } from './fleet.ts';
import type { LiveState } from './live-state.ts';
import type { Session } from './sessions.ts';

export interface HostMessagesOptions {
  live: LiveState;
  limits: ServerLimits;
  log: Log;
}

/** What came of a message. */
export interface Applied {
  changes: LiveChange[];
  /** Why the host is not to be heard any more: it broke a bound. */
  broken: PlumbError | undefined;
  /** Bytes that were read and rewritten for it. */
  work: number;
}

export class HostMessages {
  readonly #options: HostMessagesOptions;

  constructor(options: HostMessagesOptions) {
    this.#options = options;
  }

  /** Everything that lives on the host; it counts when its last part has come. */
  snapshot(session: Session, { resources, more, unchanged }: Snapshot): Applied {
    const { live } = this.#options;
    const { host } = session;
    session.parts ??= live.parts(host);
    const { parts } = session;
    const { known, opaque } = this.#understand(session, resources);
    parts.addOpaque(opaque);
    const work = bytesOf(resources) + parts.add(known);
    const broken = this.#excess(host.name, parts);
    if (broken || more) return { changes: [], broken, work };
    session.parts = undefined;
    const before = host.connected && host.reported ? host.version : undefined;
    host.connected = true;
    host.reported = true;
    const change: LiveChange = unchanged ? { type: 'host', host: host.name } : live.replaceByParts(host, parts);
    if (before === undefined) return { changes: [change], broken, work };
    // It came once; now much is looked at for its sake, or nothing if it said what was known.
    return { changes: host.version === before ? [] : [change], broken, work: work + AGAIN_BYTES };
  }

  changes(session: Session, { changed, removed }: Changes): Applied {
    const { live } = this.#options;
    const { host } = session;
    const { known, opaque } = this.#understand(session, changed);
    const put = [...live.putAll(host, known), ...live.putOpaque(host, opaque)];
    const gone = removed.map((ref) => live.remove(host, ref)).filter((change) => change !== undefined);
    let work = bytesOf(changed);
    let mostOfOne = 0;
    for (const owner of ownersOf([...put, ...gone])) {
      work += live.bytesOf(host, owner);
      mostOfOne = Math.max(mostOfOne, live.resourcesOf(host, owner));
    }
    const { bytes } = host;
    const resourceCount = host.resourceCount + host.opaque.size;
    return { changes: [...put, ...gone], broken: this.#excess(host.name, { resourceCount, bytes, mostOfOne }), work };
  }

  #excess(host: string, told: { resourceCount: number; bytes: number; mostOfOne: number }): PlumbError | undefined {
    const { resourcesPerHost, liveBytesPerHost, resourcesPerOwner } = this.#options.limits;
    if (told.resourceCount > resourcesPerHost)
      return beyond(host, `more than ${resourcesPerHost} resources (resourcesPerHost)`);
    if (told.bytes > liveBytesPerHost)
      return beyond(host, `more than ${liveBytesPerHost} bytes of resources (liveBytesPerHost)`);
    if (told.mostOfOne > resourcesPerOwner)
      return beyond(host, `more than ${resourcesPerOwner} resources of one object (resourcesPerOwner)`);
    return undefined;
  }

  /** Of what is of a type that is not known here the identity is kept. What cannot be understood otherwise is left out, and left alone. */
  #understand(
    session: Session,
    wires: readonly WireLiveResource[],
  ): { known: LiveResource[]; opaque: OpaqueResource[] } {
    const { log, limits } = this.#options;
    const known: LiveResource[] = [];
    const opaques: OpaqueResource[] = [];
    for (const wire of wires) {
      const opaque = opaqueFromWire(wire.resource);
      if (opaque !== undefined) {
        opaques.push(opaque);
        continue;
      }
      try {
        const resource = liveResourceFromWire(wire);
        if (resource.drift.length > 0)
          resource.drift = resource.drift.map((sentence) => printable(sentence, limits.hostMessageCharacters));
        if (resource.kind === 'domain' && resource.domain) boundWords(resource.domain, limits.hostMessageCharacters);
        known.push(resource);
      } catch (error) {
        // Once in a session: a host may say it of everything.
        if (!session.puzzled) log('warn', `host ${session.host.name}: ${(error as Error).message}`);
        session.puzzled = true;
      }
    }
    return { known, opaque: opaques };
  }
}

/** What a host says of a domain in sentences of its own. */
function boundWords(facts: DomainFacts, most: number): void {
  for (const field of ['atRisk', 'edited', 'paused'] as const)
    if (facts[field] !== undefined) facts[field] = printable(facts[field], most);
}

/** That a host broke a bound. It is heard again after a while, when it may have been mended. */
export function beyond(host: string, what: string): PlumbError {
  return retryable(
    'LimitExceeded',
    `host ${host} is not heard: its agent sent ${what}. Look at what runs there; "plumb limits" says how to raise a limit`,
  );
}

function ownersOf(changes: readonly LiveChange[]): Set<string> {
  return new Set(changes.flatMap((change) => (change.type === 'resource' ? [change.owner] : [])));
}

function bytesOf(wires: readonly WireLiveResource[]): number {
  return wires.reduce((bytes, { resource }) => bytes + MESSAGE_BYTES + (resource?.spec.length ?? 0), 0);
}

/** What it costs, in the same measure, that a host tells everything once more in one session. */
const AGAIN_BYTES = 1 << 20;

/** What the rest of a resource takes, roughly. */
const MESSAGE_BYTES = 128;
