import { ApiError } from '@plumb/client/errors.ts';
import { kindOf, type PlumbObject } from '@plumb/schemas';
import { age } from '@plumb/schemas/project/columns-age.ts';
import { concealObject } from '@plumb/schemas/project/conceal.ts';
import { APPLIED } from '@plumb/schemas/project/field-changes.ts';
import { stringify } from 'yaml';
import { type Command, parseCommand, type Session, targetsOf, withSession } from '../command.ts';
import type { Target } from '../follow.ts';
import { objectPath } from '../resources.ts';
import type { Surroundings } from '../surroundings.ts';
import { renderTable } from '../table.ts';
import { FLOWS, type FlowView, flowsOf, timeline } from './flows.ts';

export const describe: Command = {
  usage: `plumb describe KIND NAME… | KIND/NAME… | -f FILE-OR-FOLDER | -k FOLDER [-n NAMESPACE]

Sensitive fields are not shown.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {});
    return withSession(values, surroundings, async (session) => {
      const targets = await targetsOf(values, positionals, session, surroundings);
      const texts = [];
      for (const target of targets) texts.push(await text(session, surroundings, target));
      surroundings.out(texts.join('\n'));
      return 0;
    });
  },
};

async function text(session: Session, surroundings: Surroundings, target: Target): Promise<string> {
  const path = objectPath(target.resource, target.namespace, target.name);
  const object = concealObject(await session.client.send('GET', path)) as unknown as PlumbObject;
  const now = surroundings.clock.now();
  const { metadata, status = {} } = object;
  const { conditions = [], observedGeneration: _, ...rest } = status;
  const { [APPLIED]: _applied, ...annotations } = metadata.annotations ?? {};
  const head = {
    Name: metadata.name,
    ...(metadata.namespace ? { Namespace: metadata.namespace } : {}),
    Kind: object.kind,
    Created: `${metadata.creationTimestamp} (${age(now - Date.parse(metadata.creationTimestamp))} ago)`,
    ...(metadata.deletionTimestamp
      ? { Deleted: `${metadata.deletionTimestamp} (asked for; it goes when it can)` }
      : {}),
    ...(metadata.labels ? { Labels: metadata.labels } : {}),
    ...(Object.keys(annotations).length > 0 ? { Annotations: annotations } : {}),
    ...bodyOf(object),
    ...(Object.keys(rest).length > 0 ? { Status: rest } : {}),
  };
  const said = conditions.map((c) => [
    c.type,
    c.status,
    c.reason,
    age(now - Date.parse(c.lastTransitionTime)),
    c.message,
  ]);
  return [
    stringify(head, { lineWidth: 0 }),
    section('Conditions', ['Type', 'Status', 'Reason', 'Since', 'Message'], said),
    await flowOf(session, object),
    section('Events', ['Type', 'Reason', 'Last seen', 'Count', 'Message'], await events(session, object, now)),
  ].join('');
}

/** Spec, or the fields of a built-in kind, under their names with a capital. */
function bodyOf(object: PlumbObject): Record<string, unknown> {
  const fields = kindOf(object)?.fields;
  if (!fields) return { Spec: object.spec };
  const values = object as unknown as Record<string, unknown>;
  const there = Object.keys(fields.properties).filter((name) => values[name] !== undefined);
  return Object.fromEntries(there.map((name) => [name[0]!.toUpperCase() + name.slice(1), values[name]]));
}

/** The flow that is under way, stuck or failed, step by step; nothing when there is none. */
async function flowOf(session: Session, { metadata }: PlumbObject): Promise<string> {
  const path = metadata.namespace === undefined ? FLOWS : flowsOf(metadata.namespace);
  const { status, body } = await session.client.ask('GET', path);
  // A server that only serves objects has no flows, and not everybody may see them.
  const items: FlowView[] = status === 200 ? body.items : [];
  const flow = items.find((item) => item.metadata.name === metadata.uid);
  return flow ? `Flow:\n${timeline(flow).replaceAll(/^(?=.)/gm, '  ')}` : '';
}

function section(title: string, header: string[], rows: (string | number)[][]): string {
  if (rows.length === 0) return `${title}: none\n`;
  return `${title}:\n${renderTable(header, rows).replaceAll(/^/gm, '  ').trimEnd()}\n`;
}

async function events(session: Session, object: PlumbObject, now: number): Promise<(string | number)[][]> {
  const { namespace = 'default', uid } = object.metadata;
  const selector = encodeURIComponent(`involvedObject.uid=${uid}`);
  try {
    const { items } = await session.client.send(
      'GET',
      `/api/v1/namespaces/${namespace}/events?fieldSelector=${selector}`,
    );
    return (items as { type: string; reason: string; lastTimestamp: string; count: number; message: string }[])
      .sort((a, b) => a.lastTimestamp.localeCompare(b.lastTimestamp))
      .map((e) => [e.type, e.reason, age(now - Date.parse(e.lastTimestamp)), e.count, e.message]);
  } catch (error) {
    // Whoever may read the object may perhaps not read events.
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
}
