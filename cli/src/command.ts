/** What every command shares: its options, its way to the API, and what it is told to work on. */
import { type ParseArgsConfig, parseArgs } from 'node:util';
import type { Access } from '@plumb/client/access.ts';
import type { Client } from '@plumb/client/client.ts';
import { realAmbient } from '@plumb/schemas/meta/ambient.ts';
import { terminal } from '@plumb/schemas/meta/error.ts';
import type { Target } from './follow.ts';
import type { Manifest } from './manifests.ts';
import { resourceByAlias } from './resources.ts';
import type { Surroundings } from './surroundings.ts';

export interface Command {
  usage: string;
  /** It works without a server, so no option says how to reach one. */
  asksNothing?: true;
  /** Exit code. Throws PlumbError for everything that a person has to be told. */
  run(argv: string[], surroundings: Surroundings): Promise<number>;
}

const shared = {
  kubeconfig: { type: 'string' },
  context: { type: 'string' },
  namespace: { type: 'string', short: 'n' },
  filename: { type: 'string', short: 'f', multiple: true, default: [] as string[] },
  recursive: { type: 'boolean', short: 'R', default: false },
  kustomize: { type: 'string', short: 'k', multiple: true, default: [] as string[] },
  help: { type: 'boolean', short: 'h' },
} as const;

type Options = NonNullable<ParseArgsConfig['options']>;
type Parsed<O extends Options> = ReturnType<
  typeof parseArgs<{ options: typeof shared & O; allowPositionals: true; args: string[] }>
>;

/** The arguments. Throws PlumbError `BadArgument` (terminal) for an option that is not known. */
export function parseCommand<O extends Options>(argv: string[], options: O): Parsed<O> {
  try {
    return parseArgs({ args: argv, allowPositionals: true, options: { ...shared, ...options } }) as Parsed<O>;
  } catch (error) {
    throw terminal('BadArgument', (error as Error).message.split('. ', 1)[0]!);
  }
}

export interface Session {
  client: Client;
  /** How the API is reached. */
  access: Access;
  /** Namespace of objects that name none. */
  namespace: string;
}

/** Runs `work` with a client, and lets go of it. */
export async function withSession<T>(
  values: { kubeconfig?: string | undefined; context?: string | undefined; namespace?: string | undefined },
  surroundings: Surroundings,
  work: (session: Session) => Promise<T>,
): Promise<T> {
  const { clientFor, findAccess } = await import('@plumb/client/access.ts');
  const access = await findAccess(values.kubeconfig, surroundings.env, values.context);
  const client = clientFor(access, { ...realAmbient(), clock: surroundings.clock }, surroundings.env);
  try {
    return await work({ client, access, namespace: values.namespace ?? access.namespace });
  } finally {
    client.close();
  }
}

/** What names files on the command line. */
export interface Sources {
  filename: string[];
  kustomize: string[];
  recursive?: boolean | undefined;
}

export function namesFiles({ filename, kustomize }: Sources): boolean {
  return filename.length + kustomize.length > 0;
}

/** The objects of `-f` and `-k`. */
export async function manifestsOf(
  { filename, kustomize, recursive = false }: Sources,
  session: Session,
  surroundings: Surroundings,
): Promise<Manifest[]> {
  const { manifestsIn, readManifests } = await import('./manifests.ts');
  if (kustomize.length === 0) return readManifests(filename, session.namespace, surroundings.stdin, recursive);
  const [{ kustomized }, { readSources }] = await Promise.all([
    import('./kustomize.ts'),
    import('./manifest-files.ts'),
  ]);
  const files = await readSources(filename, surroundings.stdin, recursive);
  for (const folder of kustomize) files.push(await kustomized(folder, surroundings.env));
  return manifestsIn(files, session.namespace);
}

/** The objects that are named: `KIND NAME…`, `KIND/NAME…`, or those of `-f`. At least one. */
export async function targetsOf(
  values: Sources,
  positionals: readonly string[],
  session: Session,
  surroundings: Surroundings,
): Promise<Target[]> {
  if (namesFiles(values)) {
    if (positionals.length > 0) throw terminal('BadArgument', 'name objects, or files with -f or -k, not both');
    return manifestsOf(values, session, surroundings);
  }
  const pairs = namesOf(positionals);
  if (pairs.length === 0) throw terminal('BadArgument', 'say which: KIND NAME, KIND/NAME or -f FILE');
  return pairs.map(([kind, name]) => {
    const resource = resourceByAlias(kind);
    return { resource, namespace: resource.namespaced ? session.namespace : undefined, name };
  });
}

function namesOf(positionals: readonly string[]): [string, string][] {
  if (positionals.some((word) => word.includes('/'))) {
    return positionals.map((word) => {
      const [kind = '', name = '', ...rest] = word.split('/');
      if (!kind || !name || rest.length > 0) throw terminal('BadArgument', `${JSON.stringify(word)} is not KIND/NAME`);
      return [kind, name];
    });
  }
  const [kind, ...names] = positionals;
  return kind === undefined ? [] : names.map((name) => [kind, name]);
}

/**
 * Runs `work` on every item, at most `width` at the same time, and keeps the order of results. `stop`: when it is aborted, what has
 * begun is ended and no more is begun.
 */
export async function inParallel<T, R>(
  items: readonly T[],
  width: number,
  work: (item: T) => Promise<R>,
  stop?: AbortSignal,
): Promise<R[]> {
  const results: R[] = new Array(items.length);
  let next = 0;
  const lane = async () => {
    while (next < items.length && !stop?.aborted) {
      const index = next++;
      results[index] = await work(items[index]!);
    }
  };
  await Promise.all(Array.from({ length: Math.min(width, items.length) }, lane));
  return results;
}
