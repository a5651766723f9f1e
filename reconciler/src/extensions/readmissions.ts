/** `/apis/plumb.dev/v1/readmissions`: hosts that ask for a name with another credential, and a person's word that it is theirs. */

import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import { name } from '@plumb/schemas/meta/schema.ts';
import { type Extension, taking } from '../api/extension.ts';
import { fingerprint } from '../fleet/credentials.ts';
import type { FleetServer } from '../fleet/fleet-server.ts';
import type { NotedNewcomer } from '../fleet/newcomers.ts';

const PATH = '/apis/plumb.dev/v1/readmissions';

const READMISSION = {
  type: 'object',
  additionalProperties: false,
  required: ['host'],
  properties: {
    host: { ...name, description: 'Name of the host.' },
    credential: {
      type: 'string',
      pattern: '^[0-9a-f]{1,64}$',
      description: 'The beginning of the fingerprint of the credential: digits and a to f.',
    },
  },
} as const;

export function readmissionExtensions(fleet: Pick<FleetServer, 'newcomers' | 'readmit'>): Extension[] {
  return [
    {
      method: 'GET',
      path: PATH,
      async handle() {
        const items = fleet.newcomers().map(view);
        return { body: { apiVersion: 'plumb.dev/v1', kind: 'ReadmissionList', metadata: {}, items } };
      },
    },
    {
      method: 'POST',
      path: PATH,
      ...taking(READMISSION, async ({ host, credential }: ValueOf<typeof READMISSION>) => ({
        body: view(await fleet.readmit(host, credential)),
      })),
    },
  ];
}

function view({ host, sha256, address, at, why }: NotedNewcomer) {
  return {
    apiVersion: 'plumb.dev/v1',
    kind: 'Readmission',
    metadata: { name: host },
    fingerprint: fingerprint(sha256),
    address,
    asked: new Date(at).toISOString(),
    reason: why.reason,
  };
}
