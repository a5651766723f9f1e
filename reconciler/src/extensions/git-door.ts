/** What GitSources need of the API and of the process that looks at repositories. */
import type { Ambient } from '@plumb/schemas';
import { readId } from '@plumb/schemas/apply/managed-fields.ts';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { AUTHENTICATED } from '../api/impersonate.ts';
import { deleteAs, stageApply } from '../api/stage.ts';
import { serviceAccountName } from '../authorization/policy.ts';
import type { Policy } from '../authorization/policy-feed.ts';
import { serviceAccountGroups } from '../authorization/service-account-name.ts';
import type { GitDoor } from '../controllers/git-door.ts';
import type { Look } from '../git/look.ts';
import type { Store } from '../store/store.ts';

export interface GitDoorOptions {
  store: Store;
  ambient: Ambient;
  limits: ServerLimits;
  policy: Pick<Policy, 'index' | 'accounts'>;
  look: Look;
}

export function gitDoor({ store, ambient, limits, policy, look }: GitDoorOptions): GitDoor {
  const options = { store, ambient, limits, access: policy.index };
  return {
    look,
    account(namespace, name) {
      const account = policy.accounts.get(namespace, name);
      if (!account) return undefined;
      const groups = [...serviceAccountGroups(namespace), AUTHENTICATED];
      return { name: serviceAccountName(namespace, name), groups, uid: account.uid };
    },
    stageApply(kind, declared, { user, manager, takesBack, coming }) {
      return stageApply(options, kind, declared, {
        ...{ user, manager, coming },
        force: (conflicts) => takesBack && conflicts.every((one) => readId(one.manager).operation === 'Update'),
      });
    },
    delete: (kind, which, user) => deleteAs(options, kind, which, user),
  };
}
