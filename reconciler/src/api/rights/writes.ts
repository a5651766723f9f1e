/**
 * What a write needs beyond the right to write the object: `use` of what it refers to outside of its project, rights that its kind
 * declares, `delete` where others are made its owners, every right that a role or a binding hands out, and for an object that declares
 * others, the rights to write those. It is asked with the identity of who writes, before anything is stored.
 */
import type { KindDefinition, PlumbObject } from '@plumb/schemas';
import { MASTERS } from '../../authorization/policy.ts';
import type { User } from '../../pki/tokens.ts';
import type { ReadableStore } from '../../store/store.ts';
import type { ApiContext } from '../call.ts';
import { mayWriteMembers } from './members.ts';
import { mayBeOwned } from './owners.ts';
import { mayUse } from './references.ts';
import { mayHandOut } from './roles.ts';

/** What rights are asked of. */
export interface Rights extends Pick<ApiContext, 'access' | 'limits'> {
  store: ReadableStore;
}

/** One write of one object. */
export interface ObjectWrite {
  definition: KindDefinition;
  group: string;
  /** Undefined where it is created, or cannot be understood. */
  before: PlumbObject | undefined;
  after: PlumbObject;
  /** Name that the path of the request says; empty where it says none. */
  named: string;
}

/** Throws {@link Forbidden} when the user may not write the object like this. */
export async function mayWrite(rights: Rights, user: User, write: ObjectWrite): Promise<void> {
  if (user.groups.includes(MASTERS)) return;
  mayUse(rights.access, user, write);
  mayBeOwned(rights.access, user, write);
  mayHandOut(rights.access, user, write);
  if (write.definition.declares !== undefined) await mayWriteMembers(rights, user, write);
}
