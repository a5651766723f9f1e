/** What a GitSource needs beyond the store: a look at its repository, and its writes judged as the API judges those of its account. */
import type { KindDefinition, PlumbObject } from '@plumb/schemas';
import type { Identity } from '../authorization/policy.ts';
import type { Look, RenderedObject } from '../git/look.ts';
import type { Op, Precondition } from '../store/store.ts';

export interface GitDoor {
  look: Look;
  /** Who the ServiceAccount is; undefined when there is none of that name. */
  account(namespace: string, name: string): Identity | undefined;
  /** See {@link stageApply} of the API. */
  stageApply(kind: KindDefinition, declared: RenderedObject, as: ApplyAs): Promise<GitWrite | undefined>;
  /** See {@link deleteAs} of the API. */
  delete(
    kind: KindDefinition,
    which: { name: string; namespace?: string | undefined },
    user: Identity,
  ): Promise<boolean>;
}

export interface ApplyAs {
  user: Identity;
  manager: string;
  /** Whether what people and programs have changed without declaring it is taken back. What others declare never is. */
  takesBack: boolean;
  /** Names of projects that come in the same commit. */
  coming: ReadonlySet<string>;
}

export interface GitWrite {
  key: string;
  /** Undefined where it is made. */
  before: PlumbObject | undefined;
  after: PlumbObject;
  preconditions: Precondition[];
  ops: Op[];
}
