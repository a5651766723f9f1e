import type { Body } from '@plumb/client/client.ts';
import { changes } from '@plumb/client/follow.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import { age } from '@plumb/schemas/project/columns-age.ts';
import { type Command, parseCommand, targetsOf, withSession } from '../command.ts';
import { collectionPath, resourceByAlias } from '../resources.ts';
import { printable, renderTable } from '../table.ts';

const HEADER = ['Last seen', 'Type', 'Reason', 'Object', 'Count', 'Message'];

export const events: Command = {
  usage: `plumb events [KIND NAME | KIND/NAME] [-n NAMESPACE | -A] [--types Normal,Warning] [-w]

What happened to objects, oldest first; of one of them, if it is named. Events of what is in no project are in default.
-w: and what happens from now on, until interrupted.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      'all-namespaces': { type: 'boolean', short: 'A', default: false },
      types: { type: 'string' },
      watch: { type: 'boolean', short: 'w', default: false },
    });
    const types = (values.types as string | undefined)?.split(',').map((type) => type.trim().toLowerCase());
    const odd = types?.find((type) => !['normal', 'warning'].includes(type));
    if (odd !== undefined)
      throw terminal('BadArgument', `--types are Normal and Warning, but one is ${JSON.stringify(odd)}`);
    return withSession(values, surroundings, async (session) => {
      const { client, namespace } = session;
      const everywhere = values['all-namespaces'] === true;
      const path = collectionPath(resourceByAlias('events'), everywhere ? undefined : namespace);
      const selectors = [];
      if (positionals.length > 0) {
        const [target, ...more] = await targetsOf(values, positionals, session, surroundings);
        if (more.length > 0) throw terminal('BadArgument', 'name one object, or none');
        selectors.push(`involvedObject.kind=${target!.resource.kind}`, `involvedObject.name=${target!.name}`);
      }
      const query = selectors.length === 0 ? '' : `fieldSelector=${encodeURIComponent(selectors.join(','))}`;
      const wanted = (event: Body) => !types || types.includes(String(event.type).toLowerCase());
      const widths: number[] = [];
      const lines = (found: readonly Body[]) => {
        const now = surroundings.clock.now();
        return renderTable(
          HEADER,
          found.map((event) => row(event, now, everywhere)),
          widths,
        );
      };
      const listed = await client.send('GET', `${path}${query === '' ? '' : `?${query}`}`);
      const found = (listed.items as Body[]).filter(wanted).sort((a, b) => seen(a) - seen(b));
      if (found.length > 0 || values.watch) surroundings.out(lines(found));
      else surroundings.err('nothing has happened, as far as is remembered\n');
      if (!values.watch) return 0;
      const view = { path, from: listed.metadata.resourceVersion, ...(query === '' ? {} : { query }) };
      for await (const change of changes(client, view, new AbortController().signal)) {
        if (!('object' in change) || change.type === 'DELETED' || !wanted(change.object)) continue;
        const text = lines([change.object]);
        surroundings.out(text.slice(text.indexOf('\n') + 1));
      }
      return 0;
    });
  },
};

function seen({ lastTimestamp, eventTime, metadata }: Body): number {
  return Date.parse(lastTimestamp ?? eventTime ?? metadata.creationTimestamp);
}

function row(event: Body, now: number, everywhere: boolean): unknown[] {
  const { kind = '', name = '', namespace } = event.involvedObject ?? {};
  const of = `${String(kind).toLowerCase()}/${everywhere && namespace ? `${namespace}/` : ''}${name}`;
  return [
    age(now - seen(event)),
    event.type,
    event.reason,
    of,
    event.count ?? 1,
    printable(String(event.message ?? '')),
  ];
}
