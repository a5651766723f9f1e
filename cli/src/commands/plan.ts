import { type Command, inParallel, manifestsOf, parseCommand, withSession } from '../command.ts';
import { describeManifest } from '../manifests.ts';
import { objectPath } from '../resources.ts';
import { difference } from './diff.ts';

const WIDTH = 64;

/** What the server would do for one object. */
interface Preview {
  kind: string;
  namespace?: string;
  name: string;
  action: 'create' | 'update' | 'none';
  steps: { id: string; host: string; disruption: string; why: string }[];
  problem?: { reason: string; message: string; terminal: boolean };
  note?: string;
}

export const plan: Command = {
  usage: `plumb plan -f FILE-OR-FOLDER [-f …] [-n NAMESPACE]

Asks the server's own planner; nothing is reserved and nothing is written. Exit code 1 when something could never be done.
`,
  run(argv, surroundings) {
    const { values } = parseCommand(argv, {});
    return withSession(values, surroundings, async (session) => {
      const manifests = await manifestsOf(values, session, surroundings);
      const planned = manifests.filter(({ resource }) => resource.definition && resource.kind !== 'ChangeSet');
      const objects = planned.map(({ defaulted: { kind, metadata, spec }, namespace }) => ({
        kind,
        metadata: { name: metadata.name, namespace },
        spec,
      }));
      const { items } = await session.client.send('POST', '/apis/plumb.dev/v1/plans', { body: { objects } });
      const stored = await inParallel(planned, WIDTH, (manifest) =>
        session.client.find(objectPath(manifest.resource, manifest.namespace, manifest.name)),
      );
      planned.forEach((manifest, i) => {
        const text = show(describeManifest(manifest), difference(manifest, stored[i]), items[i]);
        surroundings.out(text);
      });
      // Instances that are not declared here, and that an edited offering changes.
      const affected = (items as Preview[]).slice(planned.length);
      for (const item of affected) surroundings.out(show(`${item.kind} ${nameOf(item)}`, '', item));
      surroundings.out(summary(items, planned.length));
      return (items as Preview[]).some((item) => item.problem?.terminal) ? 1 : 0;
    });
  },
};

function nameOf({ namespace, name }: Preview): string {
  return namespace === undefined ? name : `${namespace}/${name}`;
}

function show(name: string, fields: string, { steps, problem, note }: Preview): string {
  if (fields === '' && steps.length === 0 && !problem && note === undefined) return '';
  const lines = steps.map(
    ({ id, host, disruption, why }) =>
      `    ${id} on ${host}: ${why}${disruption === 'none' ? '' : `   (${disruption})`}\n`,
  );
  const hindrance = problem
    ? `    ${problem.terminal ? 'cannot be done' : 'waits'}: ${problem.reason}: ${problem.message}\n`
    : '';
  const remark = note === undefined ? '' : `    ${note}\n`;
  return `${fields || `  ${name}\n`}${lines.join('')}${hindrance}${remark}`;
}

/** `declared`: how many of the items are; the others are only told of. */
function summary(items: readonly Preview[], declared: number): string {
  const count = (action: Preview['action']) => items.slice(0, declared).filter((item) => item.action === action).length;
  const disturbs = (disruption: string) =>
    items.filter(({ steps }) => steps.some((step) => step.disruption === disruption)).length;
  return `${count('create')} to create, ${count('update')} to change, ${count('none')} unchanged; ${disturbs('restart')} restart, ${disturbs('dataLoss')} lose data.\n`;
}
