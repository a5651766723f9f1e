/** `GET /apis/plumb.dev/v1/pendinghosts`: agents that are connected and wait until their host is declared. */
import type { Extension } from '../api/extension.ts';
import type { FleetServer } from '../fleet/fleet-server.ts';

export function pendingHostsExtension(fleet: FleetServer): Extension {
  return {
    method: 'GET',
    path: '/apis/plumb.dev/v1/pendinghosts',
    async handle() {
      const items = (await fleet.pendingHosts()).map(({ name, fingerprint, facts }) => ({
        apiVersion: 'plumb.dev/v1',
        kind: 'PendingHost',
        metadata: { name },
        fingerprint,
        status: facts,
      }));
      return { status: 200, body: { apiVersion: 'plumb.dev/v1', kind: 'PendingHostList', metadata: {}, items } };
    },
  };
}
