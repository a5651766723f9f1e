import { kindOfType } from '../resources.ts';
import { objectFromState, parseState } from '../value/json.ts';
import { identified } from '../wire/convert.ts';
import type { UpgradeIdentityReply, UpgradeIdentityRequest } from '../wire/messages.ts';
import { refuseNewer } from './newer.ts';
import { guarded } from './rpc.ts';

/** A stored identity as today's schema has it. */
export const upgradeResourceIdentity = guarded<UpgradeIdentityRequest, UpgradeIdentityReply>(
  'The stored identity cannot be read',
  ({ typeName, version, rawIdentity }) => {
    refuseNewer(version);
    const kind = kindOfType(typeName);
    const identity = objectFromState(parseState(Buffer.from(rawIdentity.json).toString('utf8')), kind.identity);
    return identified('upgradedIdentity', kind, identity);
  },
);
