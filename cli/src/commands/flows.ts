import { terminal } from '@plumb/schemas/meta/error.ts';
import { age } from '@plumb/schemas/project/columns-age.ts';
import { type Command, parseCommand, type Session, withSession } from '../command.ts';
import { objectPath, resourceByAlias } from '../resources.ts';
import type { Surroundings } from '../surroundings.ts';
import { renderTable } from '../table.ts';
import { isForbidden } from './access.ts';

/** Path of the endpoint that lists flows. */
export const FLOWS = '/apis/plumb.dev/v1/flows';

/** Path of those of one project. */
export function flowsOf(project: string): string {
  return `/apis/plumb.dev/v1/namespaces/${encodeURIComponent(project)}/flows`;
}

/** All; where only those of the project may be listed, these. */
async function listed({ client, namespace }: Session, err: Surroundings['err']): Promise<FlowView[]> {
  try {
    return (await client.send('GET', FLOWS)).items;
  } catch (error) {
    if (!isForbidden(error)) throw error;
    const { items } = await client.send('GET', flowsOf(namespace));
    err(`flows of project ${namespace}: you may not list those of others\n`);
    return items;
  }
}

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
  usage: `plumb flows [FLOW]
plumb flows retry FLOW      try it again at once, also if it failed and was undone
plumb flows abandon FLOW    end a flow that is stuck, or that removes from a lost host, although the host has not confirmed;
                            what it held is freed

FLOW is its object, as instance/web-0 or instance/NAMESPACE/web-0, or the uid of the object. The beginning or the end of a uid
is enough. Without FLOW all are listed.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {});
    return withSession(values, surroundings, async (session) => {
      const { client } = session;
      const items = await listed(session, surroundings.err);
      const [first, second] = positionals;
      if (first === 'retry' || first === 'abandon') {
        const { uid, name } = await meant(session, items, second);
        await client.send('POST', `${FLOWS}/${uid}/${first}`, { body: {} });
        surroundings.out(`${name} ${first === 'retry' ? 'is tried again' : 'was abandoned'}\n`);
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

const UID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/**
 * What is to be tried again or ended. It need not be in the list: the record of a flow may be unreadable, and a deletion may wait
 * for hosts without a flow.
 */
async function meant(
  { client, namespace }: Session,
  items: readonly FlowView[],
  which = '',
): Promise<{ uid: string; name: string }> {
  const listed = items.filter((flow) => isNamed(flow, which));
  if (listed.length > 0 || (!UID.test(which) && !which.includes('/'))) {
    const flow = only(items, which);
    return { uid: flow.metadata.name, name: nameOf(flow) };
  }
  if (UID.test(which)) return { uid: which, name: which };
  const [kind = '', ...names] = which.split('/');
  const [name = '', within = namespace] = names.reverse();
  const resource = resourceByAlias(kind);
  const object = await client.send('GET', objectPath(resource, resource.namespaced ? within : undefined, name));
  const { uid } = object.metadata;
  if (!uid)
    throw terminal(
      'NotFound',
      `the uid of ${which} was lost with its record (plumb get poisoned), so no flow is known to be its own: apply the object again, or delete it`,
    );
  return { uid, name: which };
}

/** Whether a person means this flow: `instance/web-0`, `instance/default/web-0`, or the beginning or end of the uid. */
function isNamed({ metadata: { name: uid }, object }: FlowView, which: string): boolean {
  if (!which.includes('/')) return uid.startsWith(which) || uid.endsWith(which);
  const [kind = '', ...names] = which.split('/');
  const wanted = names.join('/');
  return (
    resourceByAlias(kind).kind === object.kind &&
    (wanted === object.name || wanted === `${object.namespace ?? ''}/${object.name}`)
  );
}

/** The flow that a person means. Throws PlumbError `NotFound` (terminal) where none or several are meant. */
export function only(items: readonly FlowView[], which: string | undefined): FlowView {
  if (!which) throw terminal('BadArgument', 'name the flow by its object or uid; plumb flows lists them');
  const found = items.filter((flow) => isNamed(flow, which));
  if (found.length === 1) return found[0]!;
  const count = found.length === 0 ? 'no flow is' : `${found.length} flows are`;
  throw terminal('NotFound', `${count} of ${which}: name one as plumb flows lists it, by KIND/NAME or uid`);
}
