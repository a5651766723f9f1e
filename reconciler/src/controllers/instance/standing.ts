/**
 * What is to be said of an instance that is as declared and yet not well: nothing of it is repaired by a flow. Its disk is in
 * a file of somebody else, QEMU holds it, or what runs is older than what was declared.
 */
import type { DomainFacts, Instance, InstanceOffering, PlumbObject } from '@plumb/schemas';
import { objectName, retryable } from '@plumb/schemas';
import type { Allocation } from '../../plan/allocation.ts';
import { type ConditionInput, findCondition } from '../../runtime/conditions.ts';
import type { Context } from '../controller.ts';
import { equalAgain } from '../placed/settle.ts';
import { conditionsTo, failedStatus, type Status } from '../status.ts';
import { liveDomain } from './life.ts';

/** What the host says of the instance's domain; nothing, where there is none. */
export function domainFacts(context: Context, instance: Instance, host: string): Partial<DomainFacts> {
  return liveDomain(context, instance, host)?.domain ?? {};
}

/** The status of a settled instance with all of that said; `ready` is what it is if there is nothing of the kind. */
export function withStanding(
  context: Context,
  ready: Status,
  object: PlumbObject,
  facts: Partial<DomainFacts>,
  restart: ConditionInput | undefined,
): Status {
  const held = facts.paused ? failedStatus(context, ready, object, retryable('GuestPaused', facts.paused)) : ready;
  const drift = driftOf(facts) ?? equalAgain(object);
  const inputs = [drift, restart].filter((input) => input !== undefined);
  return conditionsTo(context, held, object, inputs, restart ? [] : ['RestartRequired']);
}

/** As the condition Drifted; undefined when it is as declared. */
export function driftOf({ atRisk, paused, edited }: Partial<DomainFacts>): ConditionInput | undefined {
  const found = (reason: string, message: string): ConditionInput => ({
    ...{ type: 'Drifted', status: 'True', reason },
    message,
  });
  if (atRisk !== undefined) return found('DataLoss', atRisk);
  if (paused !== undefined) return found('GuestPaused', paused);
  return edited === undefined
    ? undefined
    : found('RestartRequired', `${edited}; it is as declared when it is next started`);
}

/** Tells once when something of the kind begins. */
export function tellStanding(context: Context, object: Instance, facts: Partial<DomainFacts>): void {
  const drift = driftOf(facts);
  const before = findCondition(object, 'Drifted');
  if (drift === undefined || (before?.status === 'True' && before.reason === drift.reason)) return;
  const message = `${objectName(object.metadata)}: ${drift.message}`;
  context.events.record({ object, type: 'Warning', reason: 'Drifted', message });
}

/**
 * The condition RestartRequired: what runs is of another size than its offering, sees an older seed, or was edited on the
 * host. A reboot of the guest's own is no start: QEMU lives on.
 */
export function restartRequired(
  held: Allocation,
  offering: InstanceOffering,
  facts: Partial<DomainFacts>,
): ConditionInput | undefined {
  const why: [string, string][] = [];
  const size = restartWords(held, offering);
  if (size !== undefined) why.push(['OfferingChanged', size]);
  if (facts.oldSeed)
    why.push([
      'SeedChanged',
      'its userData or sshKeys changed since it was started: the guest sees them when it is next started (spec.power Stopped, then Running), not when it reboots by itself',
    ]);
  if (facts.edited !== undefined) why.push(['Edited', facts.edited]);
  if (why[0] === undefined) return undefined;
  const message = why.map(([, sentence]) => sentence).join('; ');
  return { type: 'RestartRequired', status: 'True', reason: why[0][0], message };
}

/** That it keeps a size which is not that of its offering, and until when; undefined when it is. */
export function restartWords(held: Allocation, { spec }: InstanceOffering): string | undefined {
  const { cpus, memoryMiB } = spec;
  if (held.cpus === cpus && held.memoryMiB === memoryMiB) return undefined;
  return `it runs with ${held.cpus} CPUs and ${held.memoryMiB} MiB, and its offering now says ${cpus} and ${memoryMiB}: it gets them when it is next started`;
}
