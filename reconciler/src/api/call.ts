/** A verb called on a resource. */
import type { Ambient } from '@plumb/schemas';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Access } from './authorize.ts';
import type { Wrongs } from './readable.ts';
import type { Reply } from './reply.ts';
import type { ApiRequest } from './request.ts';

/** What every verb works with. */
export interface ApiContext {
  ambient: Ambient;
  limits: ServerLimits;
  /** Who may do what. */
  access: Access;
  /** What is known to be wrong with objects of the store. */
  wrongs: Wrongs;
  /**
   * Names of the objects that refer to the one at the key and are not being deleted, as of a revision or later. Absent where nobody knows:
   * then no deletion depends on it.
   */
  referrers?: (key: string, revision: number) => Promise<readonly string[]>;
  /** Aborted when the API ends: what it does by itself ends, too. */
  ending?: AbortSignal;
}

export interface Call {
  request: ApiRequest;
  /** From the path; undefined on cluster-scoped resources and across namespaces. */
  namespace: string | undefined;
  /** From the path; empty on collections, until a create has read it from the body. */
  name: string;
}

export type Handler = (call: Call) => Promise<Reply>;
