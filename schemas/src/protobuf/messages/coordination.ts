/** k8s.io/api/coordination/v1. */
import type { Messages } from '../messages.ts';

export const coordinationMessages: Messages = {
  LeaseSpec: {
    holderIdentity: [1, 'string?'],
    leaseDurationSeconds: [2, 'int32?'],
    acquireTime: [3, 'microTime'],
    renewTime: [4, 'microTime'],
    leaseTransitions: [5, 'int32?'],
    strategy: [6, 'string?'],
    preferredHolder: [7, 'string?'],
  },
  Lease: { metadata: [1, 'ObjectMeta'], spec: [2, 'LeaseSpec'] },
};
