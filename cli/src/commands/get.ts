import type { Body } from '@plumb/client/client.ts';
import { changes, type View } from '@plumb/client/follow.ts';
import { type PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, manifestsOf, namesFiles, parseCommand, type Session, withSession } from '../command.ts';
import type { Target } from '../follow.ts';
import { render } from '../render.ts';
import { collectionPath, objectPath, type ResourceName, resourceByAlias } from '../resources.ts';
import { selectorQuery } from '../selector.ts';
import type { Surroundings } from '../surroundings.ts';
import { renderTable } from '../table.ts';

const TABLE = 'application/json;as=Table;v=v1;g=meta.k8s.io';

const FORMS = ['table', 'wide', 'yaml', 'json', 'name'] as const;
type Form = (typeof FORMS)[number];

export const get: Command = {
  usage: `plumb get KIND [NAME…] | KIND/NAME… | -f FILE-OR-FOLDER | -k FOLDER [-n NAMESPACE | -A] [-l SELECTOR]
          [-o wide|yaml|json|name] [-w]
plumb get hosts --pending      agents that wait until their host is declared
plumb get poisoned             what in the store cannot be understood and was set aside, and why

-A: of all namespaces. -w: and every change, until interrupted.
`,
  run(argv, surroundings) {
    const { values, positionals } = parseCommand(argv, {
      output: { type: 'string', short: 'o', default: 'table' },
      watch: { type: 'boolean', short: 'w', default: false },
      selector: { type: 'string', short: 'l' },
      'all-namespaces': { type: 'boolean', short: 'A', default: false },
      pending: { type: 'boolean', default: false },
    });
    const form = values.output as Form;
    if (!FORMS.includes(form)) {
      throw terminal('BadArgument', `-o must be one of wide, yaml, json, name, but is ${JSON.stringify(form)}`);
    }
    const everywhere = values['all-namespaces'] === true;
    if (values.selector !== undefined && namesFiles(values))
      throw terminal('BadArgument', 'select objects with -l, or name files with -f, not both');
    return withSession(values, surroundings, async (session) => {
      if (values.pending) return (await import('../pending-hosts.ts')).pendingHosts(session, surroundings, positionals);
      if (positionals[0] === 'poisoned')
        return (await import('../poisoned.ts')).poisoned(session, surroundings, positionals);
      const sources = namesFiles(values)
        ? (await manifestsOf(values, session, surroundings)).map(sourceOfTarget)
        : sourcesOf(positionals, everywhere ? undefined : session.namespace, values.selector as string | undefined);
      if (values.watch) {
        if (sources.length !== 1) throw terminal('BadArgument', '-w watches one kind or one object');
        return watch(session, surroundings, sources[0]!, form, everywhere);
      }
      return show(session, surroundings, sources, form, everywhere);
    });
  },
};

/** Where objects are read from: one of them, or a collection. */
interface Source {
  resource: ResourceName;
  path: string;
  single: boolean;
}

function sourceOfTarget({ resource, namespace, name }: Target): Source {
  return { resource, path: objectPath(resource, namespace, name), single: true };
}

function sourcesOf(
  positionals: readonly string[],
  namespace: string | undefined,
  selector: string | undefined,
): Source[] {
  if (positionals.length === 0) throw terminal('BadArgument', 'say what: plumb get KIND [NAME]');
  const query = selectorQuery(selector);
  const named = positionals.length > 1 || positionals[0]!.includes('/');
  if (selector !== undefined && named) throw terminal('BadArgument', 'name objects, or select them with -l, not both');
  const one = (kind: string, name: string): Source => {
    const resource = resourceByAlias(kind);
    if (resource.namespaced && namespace === undefined) {
      throw terminal('BadArgument', 'an object is named in one namespace: leave out -A');
    }
    return sourceOfTarget({ resource, namespace: resource.namespaced ? namespace : undefined, name });
  };
  if (positionals.some((word) => word.includes('/'))) {
    return positionals.map((word) => {
      const [kind = '', name = '', ...rest] = word.split('/');
      if (!kind || !name || rest.length > 0) throw terminal('BadArgument', `${JSON.stringify(word)} is not KIND/NAME`);
      return one(kind, name);
    });
  }
  const [words = '', ...names] = positionals;
  return words.split(',').flatMap((kind) => {
    if (names.length > 0) return names.map((name) => one(kind, name));
    const resource = resourceByAlias(kind);
    return [{ resource, path: collectionPath(resource, namespace) + query, single: false }];
  });
}

async function show(
  session: Session,
  surroundings: Surroundings,
  sources: readonly Source[],
  form: Form,
  everywhere: boolean,
): Promise<number> {
  if (form === 'table' || form === 'wide') {
    const groups = Map.groupBy(sources, ({ resource }) => resource.plural);
    const tables: string[] = [];
    for (const group of groups.values()) {
      const parts = await Promise.all(group.map(({ path }) => session.client.send('GET', path, { accept: TABLE })));
      const rows = parts.flatMap((part) => part.rows);
      if (rows.length > 0) tables.push(table({ ...parts[0], rows }, form, everywhere && group[0]!.resource.namespaced));
    }
    if (tables.length === 0) surroundings.err('nothing found\n');
    surroundings.out(tables.join('\n'));
    return 0;
  }
  const bodies = await Promise.all(sources.map(({ path }) => session.client.send('GET', path)));
  const objects = bodies.flatMap((body) => (Array.isArray(body.items) ? body.items : [body]));
  if (form === 'name') {
    for (const object of objects) surroundings.out(`${object.kind.toLowerCase()}/${object.metadata.name}\n`);
    return 0;
  }
  const single = sources.length === 1 && sources[0]!.single;
  surroundings.out(await render(single ? objects[0] : { apiVersion: 'v1', kind: 'List', items: objects }, form));
  return 0;
}

function table(body: Body, form: 'table' | 'wide', withNamespace: boolean): string {
  const columns: { name: string; priority: number }[] = body.columnDefinitions;
  const shown = columns.flatMap(({ priority }, index) => (priority === 0 || form === 'wide' ? [index] : []));
  const header = shown.map((index) => columns[index]!.name);
  const rows = body.rows.map((row: Body) => {
    const cells = shown.map((index) => row.cells[index]);
    return withNamespace ? [row.object.metadata.namespace, ...cells] : cells;
  });
  return renderTable(withNamespace ? ['Namespace', ...header] : header, rows);
}

/** Begins with what is there, and goes on until interrupted, whatever becomes of the server meanwhile. */
async function watch(
  session: Session,
  surroundings: Surroundings,
  source: Source,
  form: Form,
  everywhere: boolean,
): Promise<number> {
  const tabular = form === 'table' || form === 'wide';
  let header = true;
  let told = false;
  const broken = ({ message }: PlumbError) => {
    if (!told) surroundings.err(`${message}; goes on when it can\n`);
    told = true;
  };
  const view = { ...viewOf(source), ...(tabular ? { accept: TABLE } : {}), broken };
  for await (const change of changes(session.client, view, new AbortController().signal)) {
    told = false;
    if (!('object' in change)) continue;
    const { object } = change;
    if (tabular) {
      const text = table(object, form as 'table' | 'wide', everywhere && source.resource.namespaced);
      surroundings.out(header ? text : text.slice(text.indexOf('\n') + 1));
      header = false;
    } else if (form === 'name') surroundings.out(`${object.kind.toLowerCase()}/${object.metadata.name}\n`);
    else surroundings.out(form === 'yaml' ? `---\n${await render(object, form)}` : await render(object, 'json'));
  }
  return 0;
}

function viewOf({ path, single }: Source): View {
  if (single) {
    const [collection, name] = splitName(path);
    return { path: collection, query: `fieldSelector=metadata.name%3D${name}` };
  }
  const [collection = '', query] = path.split('?');
  return { path: collection, ...(query === undefined ? {} : { query }) };
}

function splitName(path: string): [string, string] {
  const at = path.lastIndexOf('/');
  return [path.slice(0, at), path.slice(at + 1)];
}
