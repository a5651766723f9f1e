/** Every endpoint that is no resource. */
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import type { Extension } from '../api/extension.ts';
import type { Control } from '../control.ts';
import type { Pki } from '../pki/open.ts';
import { cascadeExtension } from './cascades.ts';
import { credentialExtensions } from './credentials.ts';
import { driftScanExtension } from './drift-scans.ts';
import { fenceExtension } from './fences.ts';
import { flowExtensions } from './flows.ts';
import { gitSourceExtensions } from './git-sources.ts';
import { joinTokenExtensions } from './join-tokens.ts';
import { orphanRemovalExtension } from './orphan-removals.ts';
import { pendingHostsExtension } from './pending-hosts.ts';
import { poisonedExtensions } from './poisoned.ts';
import { readmissionExtensions } from './readmissions.ts';

/** What needs everything comes last: `control` throws while the server loads, and asking for it is refused then. */
export function* everyExtension(
  pki: Pki,
  now: () => number,
  limits: ServerLimits,
  control: () => Control,
): Generator<Extension> {
  yield* credentialExtensions(pki, now, limits);
  const { fleet, context, scans } = control();
  yield* poisonedExtensions(context);
  yield pendingHostsExtension(fleet);
  yield* joinTokenExtensions(fleet.joinTokens, () => pki.caPin);
  yield* readmissionExtensions(fleet);
  yield fenceExtension(context);
  yield orphanRemovalExtension(context);
  yield* flowExtensions(context);
  yield* gitSourceExtensions(context);
  yield cascadeExtension(context);
  yield driftScanExtension(scans, context.limits);
}
