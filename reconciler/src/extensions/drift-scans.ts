/** `POST /apis/plumb.dev/v1/driftscans`: compares every instance with what lives, and answers with what was found. */
import { terminal } from '@plumb/schemas';
import { shown } from '@plumb/schemas/project/shown.ts';
import type { Extension } from '../api/extension.ts';
import type { ScanWatch } from '../controllers/instance/scan-watch.ts';

/** Instances that are named; the counts are of all. */
const NAMED = 100;

export function driftScanExtension(scans: ScanWatch): Extension {
  return {
    method: 'POST',
    path: '/apis/plumb.dev/v1/driftscans',
    async handle(request) {
      const asked = (await request.json()) as { way?: unknown } | undefined;
      const way = asked?.way ?? 'content';
      if (way !== 'content' && way !== 'digests')
        throw terminal('BadRequest', `way is content or digests, not ${shown(way)}`);
      const { counts, compared, differing, missed, tookMs, workMs } = await scans.scan(way);
      const instances = differing.slice(0, NAMED).map((key) => {
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
    },
  };
}
