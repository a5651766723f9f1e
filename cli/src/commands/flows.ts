import { terminal } from '@plumb/schemas';
import { age } from '@plumb/schemas/project/columns-age.ts';
import { type Command, parseCommand, withSession } from '../command.ts';
import { renderTable } from '../table.ts';

/** Path of the endpoint that lists flows. */
export const FLOWS = '/apis/plumb.dev/v1/flows';

/** Digits of a uid that are shown: its last ones, since a uid begins with the time when it was made. */
const UID_SHOWN = 8;

/** What the server says of a flow. */
export interface FlowView {
  metadata: { name: string };
  object: { kind?: string; namespace?: string; name?: string };
  purpose: string;
  direction: 'forward' | 'back' | 'failed';
  startedAt: string;
  steps: { id: string; host: string; disruption: string; why: string }[];
  notes: { at: string; step: string; host: string; error?: string }[];
  failure?: { reason: string; message: string };
  stuck?: { reason: string; message: string };
}

export const flows: Command = {
  usage: `plumb flows [UID]
plumb flows retry UID      try it again at once, also if it failed and was undone
plumb flows abandon UID    end a flow that is stuck, or that removes from a lost host, although the host has not confirmed;
                           what it held is freed

UID is that of the object; its end, as listed, or its beginning is enough.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {});
    return withSession(values, surroundings, async ({ client }) => {
      const items: FlowView[] = (await client.send('GET', FLOWS)).items;
      const [first, second] = positionals;
      if (first === 'retry' || first === 'abandon') {
        const flow = only(items, second);
        await client.send('POST', `${FLOWS}/${flow.metadata.name}/${first}`, { body: {} });
        surroundings.out(`${nameOf(flow)} ${first === 'retry' ? 'is tried again' : 'was abandoned'}\n`);
        return 0;
      }
      const now = surroundings.clock.now();
      if (first !== undefined) surroundings.out(timeline(only(items, first)));
      else if (items.length === 0) surroundings.out('Nothing is under way, stuck or failed.\n');
      else
        surroundings.out(
          renderTable(
            ['uid', 'object', 'purpose', 'state', 'steps', 'age', 'what'],
            items.map((f) => [
              f.metadata.name.slice(-UID_SHOWN),
              nameOf(f),
              f.purpose,
              stateOf(f),
              f.steps.length,
              age(now - Date.parse(f.startedAt)),
              (f.stuck ?? f.failure)?.message ?? '',
            ]),
          ),
        );
      return 0;
    });
  },
};

/** A flow as people read it: its steps with what became of each, oldest first. */
export function timeline(flow: FlowView): string {
  const lines = [`${nameOf(flow)}: ${flow.purpose}, ${stateOf(flow)}, since ${flow.startedAt}`];
  const tried = new Set(flow.notes.map((n) => n.step));
  for (const { at, step, host, error } of flow.notes)
    lines.push(`  ${at}  ${error ? 'failed' : 'done  '}  ${step} on ${host}${error ? `: ${error}` : ''}`);
  for (const { id, host, why, disruption } of flow.steps)
    if (!tried.has(id))
      lines.push(
        `  ${' '.repeat(24)}  to do   ${id} on ${host}, because ${why}${disruption === 'none' ? '' : ` (${disruption})`}`,
      );
  for (const why of [flow.failure, flow.stuck]) if (why) lines.push(`  ${why.reason}: ${why.message}`);
  return `${lines.join('\n')}\n`;
}

function stateOf(flow: FlowView): string {
  if (flow.stuck) return 'stuck';
  return { forward: 'doing', back: 'undoing', failed: 'failed and undone' }[flow.direction];
}

function nameOf({ object, metadata }: FlowView): string {
  if (!object.kind) return metadata.name;
  return `${object.kind} ${object.namespace ? `${object.namespace}/` : ''}${object.name}`;
}

function only(items: readonly FlowView[], uid: string | undefined): FlowView {
  if (!uid) throw terminal('BadArgument', 'say which flow by its uid; plumb flows lists them');
  const found = items.filter(({ metadata: { name } }) => name.startsWith(uid) || name.endsWith(uid));
  if (found.length === 1) return found[0]!;
  throw terminal(
    'NotFound',
    `${found.length === 0 ? 'no flow has' : `${found.length} flows have`} a uid that begins or ends with ${uid}`,
  );
}
