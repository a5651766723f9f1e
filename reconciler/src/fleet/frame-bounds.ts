import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { FrameBounds } from '@plumb/schemas/wire/codec.ts';
import type { Bound } from '@plumb/schemas/wire/scan.ts';

/** What the limits say of a frame of an agent, by the names of agent.proto. */
export function agentFrameBounds(limits: ServerLimits): FrameBounds {
  const bound = (limit: keyof ServerLimits): Bound => ({ most: limits[limit], limit });
  const name = bound('nameBytes');
  return {
    messages: limits.messagesPerFrame,
    lists: {
      'Attach.runningCommands': bound('runningOperations'),
      'Snapshot.resources': bound('resourcesPerMessage'),
      'Changes.changed': bound('resourcesPerMessage'),
      'Changes.removed': bound('resourcesPerMessage'),
      'LiveResource.drift': bound('driftPerResource'),
      // Fewer are kept; more than this nobody means.
      'HostReport.troubles': { most: Math.max(1024, limits.hostTroubles), limit: 'hostTroubles' },
      'CommandResult.steps': bound('stepsPerResult'),
    },
    texts: {
      'AgentMessage.host': name,
      'Attach.credential': name,
      'Attach.runningCommands': name,
      'Attach.registerZone': name,
      'HostResource.kind': name,
      'HostResource.id': name,
      'HostResource.owner': name,
      'HostResource.spec': bound('resourceBytes'),
      'ResourceId.kind': name,
      'ResourceId.id': name,
      'DomainFacts.state': name,
      'DomainFacts.reason': name,
      'CommandResult.command': name,
      'Progress.command': name,
      'StepResult.step': name,
    },
  };
}
