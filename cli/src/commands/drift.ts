import { type Command, parseCommand, withSession } from '../command.ts';
import { renderTable } from '../table.ts';

/** Path of the endpoint that scans. */
export const DRIFT_SCANS = '/apis/plumb.dev/v1/driftscans';

/** What the server answers. */
export interface DriftScanView {
  way: 'content' | 'digests';
  counts: { same: number; differs: number; unknown: number; underWay: number };
  compared: number;
  missed: number;
  tookMs: number;
  differing: { namespace: string; name: string }[];
}

export const drift: Command = {
  usage: `plumb drift              everything that instances should have with everything that lives on hosts
plumb drift --digests    only what changed since it was last found to be the same

Ends with 1 when instances differ. The server does the same from time to time; drift that agents tell is seen at once.
`,
  run(argv, surroundings) {
    const { values } = parseCommand(argv, { digests: { type: 'boolean' } });
    return withSession(values, surroundings, async ({ client }) => {
      const way = values.digests ? 'digests' : 'content';
      const scan: DriftScanView = await client.send('POST', DRIFT_SCANS, { body: { way } });
      surroundings.out(sentence(scan));
      if (scan.differing.length > 0)
        surroundings.out(
          renderTable(
            ['project', 'instance'],
            scan.differing.map(({ namespace, name }) => [namespace, name]),
          ),
        );
      return scan.counts.differs > 0 ? 1 : 0;
    });
  },
};

/** What was found, for people. */
export function sentence({ counts, compared, tookMs }: DriftScanView): string {
  const { same, differs, unknown, underWay } = counts;
  const parts = [
    `${same} as declared`,
    `${differs} not as declared`,
    ...(underWay > 0 ? [`${underWay} under way`] : []),
    ...(unknown > 0 ? [`${unknown} on hosts that are not connected`] : []),
  ];
  return `${same + differs + unknown + underWay} instances: ${parts.join(', ')}; ${compared} compared in ${(tookMs / 1000).toFixed(2)} s.\n`;
}
