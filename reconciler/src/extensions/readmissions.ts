/** `/apis/plumb.dev/v1/readmissions`: hosts that ask for a name with another credential, and a person's word that it is theirs. */
import { terminal } from '@plumb/schemas';
import type { Extension } from '../api/extension.ts';
import { fingerprint } from '../fleet/credentials.ts';
import type { FleetServer } from '../fleet/fleet-server.ts';
import type { NotedNewcomer } from '../fleet/newcomers.ts';

const PATH = '/apis/plumb.dev/v1/readmissions';

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
      async handle(request) {
        const { host, credential } = ((await request.json()) ?? {}) as Record<string, unknown>;
        if (typeof host !== 'string') throw terminal('BadRequest', 'say which host');
        if (credential !== undefined && (typeof credential !== 'string' || !/^[0-9a-f]{1,64}$/.test(credential)))
          throw terminal('BadRequest', 'credential is the beginning of a fingerprint: digits and a to f');
        return { body: view(await fleet.readmit(host, credential)) };
      },
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
