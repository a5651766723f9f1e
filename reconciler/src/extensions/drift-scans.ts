/** `POST /apis/plumb.dev/v1/driftscans`: compares every instance with what lives, and answers with what was found. */

import type { ValueOf } from '@plumb/schemas/kinds/define.ts';
import type { ServerLimits } from '@plumb/schemas/limits/server.ts';
import { type Extension, taking } from '../api/extension.ts';
import type { ScanWatch } from '../controllers/instance/scan-watch.ts';

const SCAN = {
  type: 'object',
  additionalProperties: false,
  properties: {
    way: { type: 'string', enum: ['content', 'digests'], description: 'What is compared; content, if absent.' },
  },
} as const;

export function driftScanExtension(scans: ScanWatch, limits: Pick<ServerLimits, 'driftShown'>): Extension {
  return {
    method: 'POST',
    path: '/apis/plumb.dev/v1/driftscans',
    ...taking(SCAN, async ({ way = 'content' }: ValueOf<typeof SCAN>) => {
      const { counts, compared, differing, missed, tookMs, workMs } = await scans.scan(way);
      const instances = differing.slice(0, limits.driftShown).map((key) => {
        const [name, namespace] = key.split('/').reverse();
        return { namespace, name };
      });
      return {
        body: {
          apiVersion: 'plumb.dev/v1',
          kind: 'DriftScan',
          metadata: {},
          way,
          counts,
          compared,
          missed: missed.length,
          tookMs,
          workMs,
          differing: instances,
        },
      };
    }),
  };
}
