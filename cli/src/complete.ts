/** What may stand next on a command line, for the completion of shells. */
import type { Client } from '@plumb/client/client.ts';
import { commands } from './commands.ts';
import type { Surroundings } from './surroundings.ts';

/** Without an answer of the server after this time nothing is offered. Milliseconds. */
const PATIENCE_MS = 3_000;
/** More than a person looks through. */
const MOST = 500;

/** Commands whose words name objects: KIND NAME or KIND/NAME. */
const OF_OBJECTS: ReadonlySet<string> = new Set(['get', 'describe', 'delete', 'wait', 'events']);
/** Options whose value is a file: the shell knows those. */
const FILES: ReadonlySet<string> = new Set([
  '-f',
  '--filename',
  '-k',
  '--kustomize',
  '--kubeconfig',
  '--plan',
  '--out',
]);
const SHARED = ['--kubeconfig', '--context', '--namespace', '--help'];

/** Completions of the last word; undefined means files. Pure, except that `values` asks the server for names. */
export async function candidates(words: readonly string[], values: Values): Promise<string[] | undefined> {
  const [last = ''] = words.slice(-1);
  const before = words.slice(0, -1);
  const previous = before.at(-1) ?? '';
  const command = commandOf(before);
  if (previous === '--context') return starting(last, await values.contexts());
  if (previous === '-n' || previous === '--namespace') return starting(last, await values.names('namespaces', before));
  if (FILES.has(previous)) return undefined;
  if (command === undefined) return starting(last, [...Object.keys(commands), 'server', 'agent', 'help', ...SHARED]);
  if (command === 'help') return starting(last, Object.keys(commands));
  const usage = await usageOf(command);
  if (usage === undefined) return undefined;
  if (previous === '-o' || previous === '--output')
    return starting(last, /-o ([a-z|]+)/.exec(usage)?.[1]?.split('|') ?? []);
  if (last.startsWith('-')) return starting(last, [...optionsIn(usage), ...SHARED]);
  if (OF_OBJECTS.has(command)) return starting(last, await objects(last, before, values));
  return starting(last, wordsIn(usage, command));
}

/** What the kubeconfig and the server know. */
export interface Values {
  contexts(): Promise<string[]>;
  /** Names of the objects of a kind, in the project that the words before name. */
  names(kind: string, before: readonly string[]): Promise<string[]>;
  kinds(): Promise<string[]>;
}

function starting(last: string, all: readonly string[]): string[] {
  return [...new Set(all.filter((word) => word.startsWith(last)))].sort();
}

/** The command, behind options that stand before it. */
function commandOf(before: readonly string[]): string | undefined {
  for (let at = 0; at < before.length; at++) {
    const word = before[at]!;
    if (!word.startsWith('-')) return word;
    if (!word.includes('=')) at++;
  }
  return undefined;
}

async function usageOf(command: string): Promise<string | undefined> {
  return Object.hasOwn(commands, command) ? (await commands[command]!.load()).usage : undefined;
}

/** Options as the usage has them: it is what people are told of. */
function optionsIn(usage: string): string[] {
  return [...usage.matchAll(/(?<![\w-])(?:--[a-z][a-z-]*|-[A-Za-z](?![\w-]))/g)].map(([option]) => option);
}

/** Words that the usage has behind the command: `plumb flows retry`. */
function wordsIn(usage: string, command: string): string[] {
  return [...usage.matchAll(/^plumb ([a-z-]+) \[?([a-z][a-z|-]*)/gm)].flatMap(([, of, word]) =>
    of === command ? word!.split('|') : [],
  );
}

async function objects(last: string, before: readonly string[], values: Values): Promise<string[]> {
  const slash = last.indexOf('/');
  if (slash > 0) {
    const kind = last.slice(0, slash);
    return (await values.names(kind, before)).map((name) => `${kind}/${name}`);
  }
  const named = positionals(before).slice(1);
  if (named.length === 0) return values.kinds();
  return named[0]!.includes('/') ? [] : values.names(named[0]!, before);
}

const VALUED: ReadonlySet<string> = new Set([
  ...FILES,
  '-n',
  '--namespace',
  '--context',
  '-o',
  '--output',
  '-l',
  '--selector',
  '--for',
  '--timeout',
  '--types',
]);

function positionals(before: readonly string[]): string[] {
  return before.filter((word, i) => !word.startsWith('-') && !VALUED.has(before[i - 1] ?? ''));
}

/** What a server and a kubeconfig offer; nothing where they cannot be asked: a person who types is not told of that. */
export function valuesFor(surroundings: Surroundings): Values {
  const option = (before: readonly string[], ...names: string[]) => {
    const at = before.findLastIndex((word) => names.includes(word));
    return at < 0 ? undefined : before[at + 1];
  };
  return {
    async contexts() {
      const { contextsFor } = await import('@plumb/client/access.ts');
      return (await contextsFor(undefined, surroundings.env)).all.map(({ name }) => name);
    },
    async kinds() {
      const { everyKind } = await import('@plumb/schemas/kinds/index.ts');
      return [...everyKind.map(({ plural }) => plural), 'events', 'all'];
    },
    async names(kind, before) {
      const [{ withSession }, { collectionPath, resourceByAlias }] = await Promise.all([
        import('./command.ts'),
        import('./resources.ts'),
      ]);
      const asked = {
        kubeconfig: option(before, '--kubeconfig'),
        context: option(before, '--context'),
        namespace: option(before, '-n', '--namespace'),
      };
      return withSession(asked, surroundings, ({ client, namespace }) =>
        namesOf(client, `${collectionPath(resourceByAlias(kind), namespace)}?limit=${MOST}`),
      );
    },
  };
}

async function namesOf(client: Client, path: string): Promise<string[]> {
  const { items } = await client.send('GET', path, {
    accept: 'application/json;as=PartialObjectMetadataList;v=v1;g=meta.k8s.io',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });
  return (items as { metadata: { name: string } }[]).map(({ metadata }) => metadata.name);
}
