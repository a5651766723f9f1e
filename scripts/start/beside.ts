/** What people declared beside Terraform, with kubectl or plumb: Terraform knows nothing of it, and waits for it in vain. */
import { kinds } from '../../schemas/src/index.ts';
import { DEFAULT_PROJECT, snakeCase } from '../../schemas/src/project/terraform.ts';
import { PLUMB } from '../control-plane.ts';
import { run } from '../run.ts';
import { NODE } from '../setup.ts';
import type { Steps } from '../steps.ts';
import type { Cloud } from './cloud.ts';
import { type Declared, declared, declaredName } from './declared.ts';

/** The part of Terraform's state that is read here (format 4). */
interface State {
  resources?: {
    mode: string;
    type: string;
    instances: { attributes?: { name?: string; project?: string } | null }[];
  }[];
}

/** Shows it with everything that depends on it, and removes it; no step when there is nothing. */
export async function removeBeside(steps: Steps, { kubeconfig, quickstart }: Cloud): Promise<void> {
  const { stdout } = await quickstart.run(['state', 'pull', '-no-color']);
  const beside = unknownTo(stdout, await declared(kubeconfig));
  if (beside.length === 0) return;
  await steps.run('Declared beside Terraform', 'remove what is named by hand: plumb delete --cascade', async (step) => {
    for (const [namespace, names] of byNamespace(beside)) {
      const where = namespace === undefined ? [] : ['-n', namespace];
      await run(NODE, [PLUMB, 'delete', '--cascade', '--yes', ...where, ...names], {
        env: { KUBECONFIG: kubeconfig },
        onLine: (line) => step.line(line),
      });
    }
    step.note(`${beside.length} removed`);
  });
}

/** As `plumb delete` takes them, with what belongs to no project last: others may stand on it. */
export function byNamespace(objects: readonly Declared[]): [string | undefined, string[]][] {
  const groups = new Map<string | undefined, string[]>();
  const last = objects.filter(({ namespace }) => namespace === undefined);
  for (const { kind, namespace, name } of [...objects.filter((object) => !last.includes(object)), ...last])
    groups.set(namespace, [...(groups.get(namespace) ?? []), `${kind.toLowerCase()}/${name}`]);
  return [...groups];
}

/** Those objects that are not in the state, as `terraform state pull` prints it: nothing at all where there is none. */
export function unknownTo(state: string, objects: readonly Declared[]): Declared[] {
  const byType = new Map(kinds.map((kind) => [`plumb_${snakeCase(kind.kind)}`, kind]));
  const known = new Set<string>();
  for (const { mode, type, instances } of state.trim() === '' ? [] : ((JSON.parse(state) as State).resources ?? [])) {
    const kind = byType.get(type);
    if (mode !== 'managed' || kind === undefined) continue;
    for (const { attributes } of instances) {
      if (attributes?.name === undefined) continue;
      const namespace = kind.scope === 'Namespaced' ? (attributes.project ?? DEFAULT_PROJECT) : undefined;
      known.add(declaredName({ kind: kind.kind, ...(namespace ? { namespace } : {}), name: attributes.name }));
    }
  }
  return objects.filter((object) => !known.has(declaredName(object)));
}
