import type { Clock } from '@plumb/schemas';
import type { Door } from './door.ts';
import type { Visitor } from './visitor.ts';

/** The other end of an agent's connection, for who speaks with the agent. */
export interface AgentPeer {
  /** Address that it comes from. */
  readonly address: string;
  /** A host of this connection has shown its credential. */
  identified(host: string): void;
  /** Something was asked for without a right to it. */
  refused(): void;
  /** A stream begins. Returns what ends it. */
  use(): () => void;
  /** The agent cannot be heard yet: it is not to be closed for saying nothing. Returns what ends that. */
  park(): () => void;
}

/** A call of an agent costs more than a request, and its agent makes one at a time: as many requests. */
const WORTH = 4;

export function agentPeer(door: Door, visitor: Visitor, clock: Clock): AgentPeer {
  return {
    address: visitor.address,
    identified: (name) => visitor.identified({ kind: 'host', name }),
    refused: () => visitor.refused(WORTH),
    use: () => visitor.use(() => clock.now()),
    park() {
      door.park(visitor);
      return () => door.shook(visitor);
    },
  };
}
