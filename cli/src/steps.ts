/** Which step of its flow is done for each object now: conditions are written at a flow's end, so flows are asked, for people only. */
import type { Client } from '@plumb/client/client.ts';
import type { Clock } from '@plumb/schemas/meta/ambient.ts';
import type { FlowView } from './commands/flows.ts';

const FLOWS = '/apis/plumb.dev/v1/flows';
/** Between two questions. Milliseconds. */
const EVERY_MS = 1_000;

/**
 * Asks until it is disposed of, and tells of each flow by its object: kind, project, name. Who may not see flows sees none.
 */
export function followSteps(
  client: Client,
  clock: Clock,
  tell: (steps: ReadonlyMap<string, string>) => void,
): Disposable {
  const end = new AbortController();
  let stopTimer: () => void = () => {};
  const ask = async () => {
    const answer = await client.ask('GET', FLOWS, { signal: end.signal }).catch(() => undefined);
    if (end.signal.aborted || answer?.status !== 200) return;
    tell(new Map((answer.body.items as FlowView[]).flatMap(stepOf)));
    stopTimer = clock.after(EVERY_MS, () => void ask());
  };
  stopTimer = clock.after(EVERY_MS, () => void ask());
  return {
    [Symbol.dispose]() {
      end.abort();
      stopTimer();
    },
  };
}

export function keyOfStep({
  kind,
  namespace,
  name,
}: {
  kind?: string;
  namespace?: string | undefined;
  name?: string;
}): string {
  return `${kind}/${namespace ?? ''}/${name}`;
}

function stepOf({ object, direction, steps, notes }: FlowView): [string, string][] {
  if (direction !== 'forward') return [[keyOfStep(object), 'what was done is undone']];
  const done = new Set(notes.filter(({ error }) => error === undefined).map(({ step }) => step));
  const at = steps.findIndex(({ id }) => !done.has(id));
  const step = steps[at];
  return step ? [[keyOfStep(object), `${step.id} on ${step.host} (${at + 1} of ${steps.length})`]] : [];
}
