/** The control plane without its edges, with the API's own judgement of what an account may do, and commits that a test makes up. */
import type { GitSource } from '@plumb/schemas';
import { defaultServerLimits, type ServerLimits } from '@plumb/schemas/limits/server.ts';
import { followPolicy } from '../../../authorization/policy-feed.ts';
import { gitDoor } from '../../../extensions/git-door.ts';
import type { Look, RenderedObject } from '../../../git/look.ts';
import { keys } from '../../../store/keys.ts';
import { MemoryStore } from '../../../store/memory.ts';
import type { Store } from '../../../store/store.ts';
import { condition } from '../../testing/estate.ts';
import { type Rig, startRig } from '../../testing/rig.ts';
import { lookNow } from '../person.ts';

const RBAC = 'rbac.authorization.k8s.io';
const EVERYTHING = [{ verbs: ['*'], apiGroups: ['*'], resources: ['*'] }];

export interface GitRig {
  rig: Rig;
  store: Store;
  /** What the repository says from now on. */
  push(objects: readonly RenderedObject[], more?: { revision?: string; descends?: boolean }): string;
  /** Looks at the repository now, as `plumb git sync` does. */
  look(name?: string): Promise<void>;
  status(name?: string): NonNullable<GitSource['status']>;
  reason(name?: string): string | undefined;
  message(name?: string): string;
  stop(): Promise<void>;
}

export interface GitRigOptions {
  store?: Store;
  /** What the account `ci` may do; everything, if absent. */
  rules?: readonly object[];
  limits?: Partial<ServerLimits>;
  /** In place of commits that are pushed. */
  look?: Look;
}

export async function startGitRig({
  store = new MemoryStore(),
  rules = EVERYTHING,
  limits,
  look,
}: GitRigOptions = {}): Promise<GitRig> {
  await put(store, 'namespaces', undefined, 'default', { apiVersion: 'v1', kind: 'Namespace', spec: {} });
  await put(store, 'serviceaccounts', 'default', 'ci', { apiVersion: 'v1', kind: 'ServiceAccount' });
  await put(store, 'clusterroles', undefined, 'ci', { apiVersion: `${RBAC}/v1`, kind: 'ClusterRole', rules });
  await put(store, 'clusterrolebindings', undefined, 'ci', {
    ...{ apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding' },
    subjects: [{ kind: 'ServiceAccount', name: 'ci', namespace: 'default' }],
    roleRef: { apiGroup: RBAC, kind: 'ClusterRole', name: 'ci' },
  });
  const ending = new AbortController();
  const policy = await followPolicy(store, ending.signal, () => {});
  let count = 0;
  let pushed = { revision: '', descends: true, objects: [] as RenderedObject[] };
  const made: Look = async ({ known }) =>
    known === pushed.revision
      ? { revision: known, objects: undefined }
      : { ...pushed, objects: structuredClone(pushed.objects) };
  const door = (parts: Parameters<NonNullable<Parameters<typeof startRig>[0]>['git'] & object>[0]) =>
    gitDoor({ ...parts, policy, look: look ?? made });
  const rig = await startRig({ store, limits: { ...defaultServerLimits, ...limits }, git: door });
  const ready = (name: string) => condition(rig.get('GitSource', name), 'Ready');
  return {
    ...{ rig, store },
    push(objects, { revision = `${++count}`.padStart(40, '0'), descends = true } = {}) {
      pushed = { revision, descends, objects: [...objects] };
      return revision;
    },
    look: (name = 'estate') => lookNow(rig.context, 'default', name),
    status: (name = 'estate') => (rig.get('GitSource', name)?.status ?? {}) as NonNullable<GitSource['status']>,
    reason: (name = 'estate') => ready(name)?.reason,
    message: (name = 'estate') => ready(name)?.message ?? '',
    async stop() {
      await rig.stop();
      ending.abort();
    },
  };
}

export async function put(store: Store, plural: string, namespace: string | undefined, name: string, object: object) {
  const metadata = {
    ...{ name, uid: `uid-${plural}-${name}`, creationTimestamp: '2026-01-01T00:00:00Z' },
    ...(namespace ? { namespace } : {}),
  };
  const { apiVersion, kind, ...body } = object as { apiVersion: string; kind: string };
  const value = JSON.stringify({ apiVersion, kind, metadata, ...body });
  const key = keys.object(plural, namespace, name);
  if (await store.get(key)) return;
  await store.commit({ preconditions: [{ key, revision: 0 }], ops: [{ type: 'put', key, value }] });
}

export const sourceSpec = (more: object = {}) => ({
  ...{ url: 'https://git.example.org/estate.git', ref: 'main', intervalSeconds: 3600, suspend: false, prune: false },
  ...{ driftPolicy: 'Repair', atomic: false, serviceAccountName: 'ci' },
  ...more,
});

const object = (kind: string, name: string, spec: object, metadata: object = {}): RenderedObject => ({
  ...{ apiVersion: 'plumb.dev/v1', kind, metadata: { name, ...metadata }, spec },
});
export const zoneOf = (name: string, labels: Record<string, string> = {}) => object('Zone', name, {}, { labels });
export const offeringOf = (name: string, cpus = 1) => object('InstanceOffering', name, { cpus, memoryMiB: 64 });
export const imageOf = (name: string) =>
  object('Image', name, { url: 'https://example.org/i', sha256: 'a'.repeat(64), format: 'raw' });
export const zones = (count: number, from = 0) => Array.from({ length: count }, (_, n) => zoneOf(`z${n + from}`));
