import { kindOfType } from '../resources.ts';
import { objectFromState, parseState } from '../value/json.ts';
import { dynamic } from '../wire/convert.ts';
import type { UpgradeReply, UpgradeRequest } from '../wire/messages.ts';
import { refuseNewer } from './newer.ts';
import { guarded } from './rpc.ts';

/** Stored state as today's schema has it. Terraform asks for it on every run, whatever the version. */
export const upgradeResourceState = guarded<UpgradeRequest, UpgradeReply>(
  'The stored state cannot be read',
  ({ typeName, version, rawState }) => {
    refuseNewer(version);
    const { resource } = kindOfType(typeName);
    const state = objectFromState(parseState(Buffer.from(rawState.json).toString('utf8')), resource);
    return { upgradedState: dynamic(state, resource) };
  },
);
