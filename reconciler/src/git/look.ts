/** What is asked of a look at a repository, and what comes of it: between the server and the process without rights. */
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { SourceRulesInit } from '@plumb/schemas/sources/source-rules.ts';

/** Where to look. */
export interface Wanted {
  url: string;
  ref: string;
  /** Folder in the repository; the whole of it, if absent. */
  path?: string | undefined;
  /** The commit whose objects are known: if it is still the one of the ref, nothing is fetched. */
  known?: string | undefined;
  /** The commit that is applied: whether the new one descends from it is told. */
  applied?: string | undefined;
}

export interface Unchanged {
  revision: string;
  objects: undefined;
}

export interface Rendered {
  revision: string;
  /** Whether it descends from the commit that is applied, or is the same; false where that is not known. */
  descends: boolean;
  objects: RenderedObject[];
}

/** Not looked at otherwise: it has a kind, a version and a name. */
export interface RenderedObject {
  apiVersion: string;
  kind: string;
  metadata: { name: string; namespace?: string } & Record<string, unknown>;
  [field: string]: unknown;
}

/** Looks at a repository. Rejects with a PlumbError whose message is for people; `signal`: gives up. */
export type Look = (wanted: Wanted, signal: AbortSignal) => Promise<Rendered | Unchanged>;

export interface LookJob {
  wanted: Wanted;
  rules: SourceRulesInit;
  limits: GitLimits;
  /** An empty folder of its own. */
  scratch: string;
  /** Whether kustomize is there, as descriptor {@link KUSTOMIZE_FD}. */
  kustomize: boolean;
}

export const KUSTOMIZE_FD = 3;

export type GitLimits = Pick<
  ServerLimits,
  | 'gitSeconds'
  | 'gitRepositoryMiB'
  | 'gitMemoryMiB'
  | 'gitCommits'
  | 'gitFiles'
  | 'gitFolderDepth'
  | 'gitFileBytes'
  | 'gitManifestBytes'
  | 'gitObjects'
>;

export type LookAnswer =
  | { found: Rendered | Unchanged }
  | { failure: { reason: string; message: string; retry: 'retry' | 'terminal' } };
