import { type Command, parseCommand } from '../command.ts';
import { renderTable } from '../table.ts';

export const contexts: Command = {
  usage: `plumb contexts

The contexts of the kubeconfig: which servers can be reached, as whom, and which is taken without --context.
`,
  async run(argv, surroundings) {
    const { values } = parseCommand(argv, {});
    const { contextsFor } = await import('@plumb/client/access.ts');
    const { current, all } = await contextsFor(values.kubeconfig, surroundings.env);
    const taken = values.context ?? current;
    const rows = all.map(({ name, cluster, user, namespace }) => [
      ...[name === taken ? '*' : '', name, cluster, user ?? '<none>', namespace ?? 'default'],
    ]);
    surroundings.out(renderTable(['', 'Name', 'Cluster', 'User', 'Namespace'], rows));
    return 0;
  },
};
