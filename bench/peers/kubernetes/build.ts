import { access, cp, mkdir, rename } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../../../scripts/run.ts';
import { ROOT } from '../../src/machine.ts';

/** Programs of Kubernetes, all stock, built from the Go modules that bench/peers/go pins with their checksums. */
export interface KubernetesPrograms {
  etcd: string;
  apiserver: string;
  scheduler: string;
  kwok: string;
  /** kwok's own stages: files of what becomes of nodes and pods. */
  stages: string[];
  /** By program, and Go's. */
  versions: Record<string, string>;
}

const MODULES = join(import.meta.dirname, '..', 'go');
const CACHE = join(ROOT, '.cache', 'peers');
const BIN = join(CACHE, 'bin');
const STAGES = [
  ['node', 'fast', 'node-initialize.yaml'],
  ['node', 'heartbeat-with-lease', 'node-heartbeat-with-lease.yaml'],
  ['pod', 'fast', 'pod-ready.yaml'],
  ['pod', 'fast', 'pod-complete.yaml'],
  ['pod', 'fast', 'pod-delete.yaml'],
] as const;

interface Wanted {
  /** Of the folder in bench/peers/go, whose go.mod says the versions. */
  folder: 'kubernetes' | 'kwok';
  /** Whose version it has. */
  module: string;
  package: string;
  /** Where the linker is to write the version, as the project's own builds do. */
  version?: string;
}

export type Program = 'etcd' | 'apiserver' | 'scheduler' | 'kwok';

const WANTED: Record<Program, Wanted> = {
  etcd: { folder: 'kubernetes', module: 'go.etcd.io/etcd/server/v3', package: 'go.etcd.io/etcd/server/v3' },
  apiserver: kubernetes('kube-apiserver'),
  scheduler: kubernetes('kube-scheduler'),
  kwok: { folder: 'kwok', module: 'sigs.k8s.io/kwok', package: 'sigs.k8s.io/kwok/cmd/kwok' },
};

function kubernetes(program: string): Wanted {
  return {
    ...{ folder: 'kubernetes', module: 'k8s.io/kubernetes', package: `k8s.io/kubernetes/cmd/${program}` },
    version: 'k8s.io/component-base/version.gitVersion',
  };
}

/** Builds what is not there yet, about six minutes on two cores the first time. Needs Go and its module proxy. */
export async function buildKubernetes(say: (line: string) => void): Promise<KubernetesPrograms> {
  const { paths, versions } = await buildPrograms(['etcd', 'apiserver', 'scheduler', 'kwok'], say);
  const { etcd, apiserver, scheduler, kwok } = paths;
  return { etcd, apiserver, scheduler, kwok, stages: await stages(versions.kwok!), versions };
}

/** Where these programs lie, and their versions and Go's. Builds those that are not there yet. */
export async function buildPrograms<Name extends Program>(
  names: readonly Name[],
  say: (line: string) => void,
): Promise<{ paths: Record<Name, string>; versions: Record<string, string> }> {
  await mkdir(BIN, { recursive: true });
  const versions: Record<string, string> = { go: (await go('kubernetes', 'env', 'GOVERSION')).slice('go'.length) };
  const paths = {} as Record<Name, string>;
  for (const name of names) {
    const wanted = WANTED[name];
    const version = await go(wanted.folder, 'list', '-m', '-f', '{{.Version}}', wanted.module);
    const path = join(BIN, `${name}-${version}`);
    if (!(await exists(path))) {
      say(`building ${name} ${version} from its Go module, once`);
      const linked = ['-s', '-w', ...(wanted.version ? ['-X', `${wanted.version}=${version}`] : [])].join(' ');
      await go(wanted.folder, 'build', '-p', '2', '-trimpath', `-ldflags=${linked}`, '-o', path, wanted.package);
    }
    paths[name] = path;
    versions[name] = version;
  }
  return { paths, versions };
}

/** They lie in the module beside the code, which mounts them into its own container images. */
async function stages(version: string): Promise<string[]> {
  const folder = join(CACHE, `kwok-stages-${version}`);
  const files = STAGES.map((path) => join(folder, path.at(-1)!));
  if (!(await exists(folder))) {
    const module = await go('kwok', 'list', '-m', '-f', '{{.Dir}}', 'sigs.k8s.io/kwok');
    await mkdir(`${folder}.new`, { recursive: true });
    for (const path of STAGES)
      await cp(join(module, 'kustomize', 'stage', ...path), join(`${folder}.new`, path.at(-1)!));
    await rename(`${folder}.new`, folder);
  }
  return files;
}

/** Prints nothing but what was asked for; lowest priority, since a build takes both cores for minutes. */
async function go(folder: Wanted['folder'], ...args: string[]): Promise<string> {
  const env = { GOCACHE: join(CACHE, 'go-build'), GOFLAGS: '-buildvcs=false -mod=readonly', GOWORK: 'off' };
  const options = { cwd: join(MODULES, folder), env: { ...env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local' } };
  const { stdout } = await run('nice', ['-n', '19', 'go', ...args], options);
  return stdout.trim();
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

if (import.meta.main) {
  console.log(JSON.stringify(await buildKubernetes((line) => console.error(line)), undefined, 2));
}
