import type { Body } from '@plumb/client/client.ts';
import type { View } from '@plumb/client/follow.ts';
import { PlumbError, terminal } from '@plumb/schemas/meta/error.ts';
import { type Command, manifestsOf, namesFiles, parseCommand, type Session, withSession } from '../command.ts';
import { complain } from '../failure.ts';
import type { Target } from '../follow.ts';
import { render } from '../render.ts';
import { collectionPath, objectPath, type ResourceName, resourceByAlias, resourcesByWord } from '../resources.ts';
import { selectorQuery } from '../selector.ts';
import type { Surroundings } from '../surroundings.ts';
import { renderTable } from '../table.ts';
import { FORMS, type Form, isTabular, rowsOf, TABLE } from '../view.ts';

export const get: Command = {
  usage: `plumb get KIND [NAME…] | KIND/NAME… | -f FILE-OR-FOLDER | -k FOLDER [-n NAMESPACE | -A] [-l SELECTOR]
          [-o table|wide|yaml|json|name] [-w]
plumb get hosts --pending      agents that wait until their host is declared
plumb get poisoned             what in the store cannot be understood and was set aside, and why

KIND is a kind, a plural or a short name, also with its group (zones.plumb.dev), or several with commas; all: every kind of
Plumb's own. -A: of all namespaces. -w: and every change, until interrupted.
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
      throw terminal('BadArgument', `-o must be one of ${FORMS.join(', ')}, but is ${JSON.stringify(form)}`);
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
        const [source] = sources as [Source];
        const withNamespace = everywhere && source.resource.namespaced;
        const watched = { view: viewOf(source), form, withNamespace, singular: source.resource.singular };
        return (await import('../watch-view.ts')).watchObjects(session, surroundings, watched);
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
    return resourcesByWord(kind).map((resource) => ({
      resource,
      path: collectionPath(resource, namespace) + query,
      single: false,
    }));
  });
}

async function show(
  session: Session,
  surroundings: Surroundings,
  sources: readonly Source[],
  form: Form,
  everywhere: boolean,
): Promise<number> {
  const accept = isTabular(form) ? { accept: TABLE } : {};
  const found: Found[] = [];
  const missing: PlumbError[] = [];
  await Promise.all(
    sources.map(async (source, i) => {
      const body = await session.client.send('GET', source.path, accept).catch((thrown) => {
        const error = PlumbError.from(thrown, 'get');
        // Of several that are named, those that are there are shown.
        if (!source.single || sources.length === 1) throw error;
        missing.push(error);
        return undefined;
      });
      if (body) found[i] = { source, body };
    }),
  );
  await print(surroundings, found.filter(Boolean), form, everywhere, sources.length > 1 || !sources[0]!.single);
  for (const error of missing) complain(surroundings, error);
  return missing.length > 0 ? 1 : 0;
}

interface Found {
  source: Source;
  body: Body;
}

/** `several`: whether they are a list, however few there are. */
async function print(
  surroundings: Surroundings,
  found: readonly Found[],
  form: Form,
  everywhere: boolean,
  several: boolean,
): Promise<void> {
  if (isTabular(form)) {
    const groups = [
      ...Map.groupBy(found, ({ source: { resource } }) => `${resource.apiVersion} ${resource.plural}`).values(),
    ];
    const shown = groups
      .map((group) => tableOf(group, form, everywhere, groups.length > 1))
      .filter((table) => table !== '');
    if (shown.length === 0) surroundings.err('nothing found\n');
    surroundings.out(shown.join('\n'));
    return;
  }
  const objects = found.flatMap(({ source, body }) =>
    (Array.isArray(body.items) ? body.items : [body]).map((object: Body) => ({ object, resource: source.resource })),
  );
  if (form === 'name') {
    for (const { object, resource } of objects) surroundings.out(`${resource.singular}/${object.metadata.name}\n`);
    return;
  }
  const items = objects.map(({ object }) => object);
  const shown = several ? { apiVersion: 'v1', kind: 'List', items } : items[0];
  surroundings.out(await render(shown, form as 'yaml' | 'json'));
}

/** The table of one kind; empty when there is nothing. `named`: the kind stands before each name. */
function tableOf(group: readonly Found[], form: Form, everywhere: boolean, named: boolean): string {
  const [{ source, body }] = group as [Found];
  const { resource } = source;
  const rows = group.flatMap((one) => one.body.rows);
  if (rows.length === 0) return '';
  const prefix = named ? `${resource.singular}/` : '';
  const shown = rowsOf({ ...body, rows }, form, everywhere && resource.namespaced, prefix);
  return renderTable(shown.header, shown.rows);
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
